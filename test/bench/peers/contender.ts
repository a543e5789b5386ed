/**
 * What takes part: a way to fan a goal out into N sub-tasks, each answered by code in place of a model, and to reduce their results to one answer.
 * Everybody is compared at the same durability, ours: a write is with the operating system when it counts, and on the disk a little later. So a
 * killed process loses nothing and a power cut may lose the last moment. Peers that wait for the disk by default are told not to, which is to
 * their favour, as are Unix sockets where they have them.
 */
export interface Contender {
  /** With version, as the table shows it. */
  readonly name: string;
  /** What is stored, and where, when a sub-task is done. */
  readonly stores: string;
  /** @returns Microseconds a sub-task, from the goal to its answer. */
  fanOut(size: number): Promise<number>;
}

export interface Surroundings {
  /** Temporary, for this contender alone; removed after it. */
  readonly folder: string;
  /** Where downloads are kept between runs. */
  readonly cache: string;
  /** For the operator; not part of the table. */
  say(line: string): void;
  /** Aborted when the benchmark lets go; ends what takes long before there is anything to end. */
  readonly signal: AbortSignal;
  /** Whatever is started is put here with its end, and ends in reverse order. */
  readonly ends: AsyncDisposableStack;
}

export type Start = (surroundings: Surroundings) => Promise<Contender>;

/** It can't be had on this machine: the table says so, and the others go on. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
}

export const instructionsFor = (size: number): string[] => Array.from({ length: size }, (_, i) => `number ${i}`);

/** Times `run`, which gets the instructions and answers with their results, one a line, in whatever order. */
export async function timed(size: number, run: (instructions: string[]) => Promise<string>): Promise<number> {
  const instructions = instructionsFor(size);
  const from = performance.now();
  const answer = await run(instructions);
  const tookUs = (performance.now() - from) * 1000;
  const results = new Set(answer.split('\n'));
  const missing = instructions.filter((instruction) => !results.has(instruction));
  if (results.size !== size || missing.length > 0)
    throw new Error(`wrong answer: ${missing.length} of ${size} results missing: ${answer.slice(0, 200)}`);
  return tookUs / size;
}
