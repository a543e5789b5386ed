/** Collects reports of effects between two commits: signs of life, the backend in use, artifacts and notes. */
import type { StateRecord } from '../../bus/state/state-record.ts';

export class VitalSigns {
  #backend: string | null;
  #artifacts: readonly string[];
  #notes: string[] = [];
  #lastTokenAt: string | undefined;
  #lastToolAt: string | undefined;

  constructor({ last, artifacts }: StateRecord) {
    this.#backend = last?.backend ?? null;
    this.#artifacts = artifacts;
  }

  get backend(): string | null {
    return this.#backend;
  }
  get artifacts(): readonly string[] {
    return this.#artifacts;
  }

  onBackend(name: string): void {
    this.#backend = name;
  }
  addArtifacts(names: readonly string[]): void {
    this.#artifacts = [...new Set([...this.#artifacts, ...names])];
  }
  note(text: string): void {
    this.#notes.push(text);
  }
  heard(what: 'token' | 'tool', at: string): void {
    if (what === 'token') this.#lastTokenAt = at;
    else this.#lastToolAt = at;
  }

  /** Whether tokens or tool output came after `at`, which is the time of a status. */
  areNewerThan(at: string): boolean {
    return (this.#lastTokenAt ?? '') > at || (this.#lastToolAt ?? '') > at;
  }

  /** The fields for the next status. Each note is returned once. */
  told() {
    const notes = this.#notes.splice(0);
    return {
      ...(this.#lastTokenAt && { lastTokenAt: this.#lastTokenAt }),
      ...(this.#lastToolAt && { lastToolAt: this.#lastToolAt }),
      ...(notes.length > 0 && { note: notes.join('; ') }),
    };
  }
}
