/** Memory over time. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Course {
  readonly name: string;
  /** In MB: medians of the first, middle and last fifth, so that single garbage collections do not matter. */
  readonly start: number;
  readonly middle: number;
  readonly end: number;
  readonly most: number;
  readonly isFlat: boolean;
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** Resident memory of a process in bytes. */
export async function residentBytes(pid: number): Promise<number> {
  const { stdout } = await run('ps', ['-o', 'rss=', '-p', String(pid)]);
  return Number(stdout.trim()) * 1024;
}

export class Memory {
  readonly #probes: Readonly<Record<string, () => Promise<number>>>;
  readonly #samples = new Map<string, number[]>();

  /** @param probes Name → a function that measures bytes. */
  constructor(probes: Readonly<Record<string, () => Promise<number>>>) {
    this.#probes = probes;
  }

  async sample(): Promise<void> {
    for (const [name, probe] of Object.entries(this.#probes)) {
      const samples = this.#samples.get(name) ?? [];
      samples.push(Math.round((await probe()) / 1e6));
      this.#samples.set(name, samples);
    }
  }

  /** The last samples in MB, by name. */
  last(): Record<string, number> {
    return Object.fromEntries([...this.#samples].map(([name, samples]) => [name, samples.at(-1)!]));
  }

  courses(): Course[] {
    return [...this.#samples].map(([name, samples]) => {
      const fifth = Math.max(1, Math.floor(samples.length / 5));
      const from = Math.floor((samples.length - fifth) / 2);
      const middle = median(samples.slice(from, from + fifth));
      const end = median(samples.slice(-fifth));
      // Compares the second half only: by then everything is warm.
      const isFlat = end <= middle * 1.15 + 10;
      return { name, start: median(samples.slice(0, fifth)), middle, end, most: Math.max(...samples), isFlat };
    });
  }
}
