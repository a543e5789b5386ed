/** Collects reports of effects between two commits: signs of life, the backend in use, artifacts and notes. */
import type { StateRecord } from '../../bus/state/state-record.ts';

export class VitalSigns {
  #backend: string | null;
  #artifacts: readonly string[];
  #notes: string[] = [];
  #sent: { readonly step: number; readonly digest: string } | null = null;
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
  sends(step: number, digest: string): void {
    this.#sent = { step, digest };
  }
  heard(what: 'token' | 'tool', at: string): void {
    if (what === 'token') this.#lastTokenAt = at;
    else this.#lastToolAt = at;
  }

  /** Whether tokens or tool output came after `at`, which is the time of a status. */
  areNewerThan(at: string): boolean {
    return (this.#lastTokenAt ?? '') > at || (this.#lastToolAt ?? '') > at;
  }

  /** The fields for the next status. Each note and each digest is returned once. @param told messages that the model is told. */
  told(step: number, told: number | undefined) {
    const notes = this.#notes.splice(0);
    const digest = this.#sent?.step === step ? this.#sent.digest : undefined;
    this.#sent = null;
    return {
      ...((told !== undefined || digest !== undefined) && {
        prompt: { ...(told !== undefined && { messages: told }), ...(digest !== undefined && { digest }) },
      }),
      ...(this.#lastTokenAt && { lastTokenAt: this.#lastTokenAt }),
      ...(this.#lastToolAt && { lastToolAt: this.#lastToolAt }),
      ...(notes.length > 0 && { note: notes.join('; ') }),
    };
  }
}
