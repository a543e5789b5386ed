/** The resident memory of processes over time, as the system counts it. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Course {
  readonly name: string;
  /** MB: medians of the first, the middle and the last fifth, so that a collection of garbage more or less decides nothing. */
  readonly start: number;
  readonly middle: number;
  readonly end: number;
  readonly most: number;
  readonly isFlat: boolean;
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

export class Memory {
  readonly #pids: Readonly<Record<string, number>>;
  readonly #samples = new Map<string, number[]>();

  private constructor(pids: Readonly<Record<string, number>>) {
    this.#pids = pids;
    for (const name of Object.keys(pids)) this.#samples.set(name, []);
  }

  /** With a first sample. @param pids by name. */
  static async of(pids: Readonly<Record<string, number>>): Promise<Memory> {
    const memory = new Memory(pids);
    await memory.sample();
    return memory;
  }

  async sample(): Promise<void> {
    for (const [name, pid] of Object.entries(this.#pids)) {
      const { stdout } = await run('ps', ['-o', 'rss=', '-p', String(pid)]);
      this.#samples.get(name)!.push(Math.round(Number(stdout.trim()) / 1024));
    }
  }

  /** MB, by name. */
  last(): Record<string, number> {
    return Object.fromEntries([...this.#samples].map(([name, samples]) => [name, samples.at(-1)!]));
  }

  courses(): Course[] {
    return [...this.#samples].map(([name, samples]) => {
      const fifth = Math.max(1, Math.floor(samples.length / 5));
      const from = Math.floor((samples.length - fifth) / 2);
      const middle = median(samples.slice(from, from + fifth));
      const end = median(samples.slice(-fifth));
      // Over the second half: by then everything is warm.
      const isFlat = end <= middle * 1.2 + 20;
      return { name, start: median(samples.slice(0, fifth)), middle, end, most: Math.max(...samples), isFlat };
    });
  }
}
