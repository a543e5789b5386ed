/**
 * A system in the comparison: it fans a goal out into N sub-tasks, each answered by code in place of a model, and reduces their
 * results to one answer. All are compared at our durability: a write counts when the operating system has it, and reaches the
 * disk a little later. A killed process loses nothing; a power loss may lose the last moment. Systems that sync to the disk by
 * default are told not to, and use Unix sockets where they can; both are to their advantage.
 */
export interface Contender {
  /** The name with its version, for the table. */
  readonly name: string;
  /** The records that are stored when a sub-task is done, and where. */
  readonly stores: string;
  /** @returns Microseconds per sub-task, from the goal to its answer. */
  fanOut(size: number): Promise<number>;
}

export interface Surroundings {
  /** A temporary folder for this contender alone, removed after it. */
  readonly folder: string;
  /** Keeps downloads between runs. */
  readonly cache: string;
  /** Tells the operator; not part of the table. */
  say(line: string): void;
  /** Aborted when the benchmark stops, so that a download or a build under way ends. */
  readonly signal: AbortSignal;
  /** Collects a cleanup for everything that is started; they run in reverse order. */
  readonly ends: AsyncDisposableStack;
}

export type Start = (surroundings: Surroundings) => Promise<Contender>;

/** The contender cannot be had on this machine. The table says so, and the others go on. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
}

export const instructionsFor = (size: number): string[] => Array.from({ length: size }, (_, i) => `number ${i}`);

/**
 * Times `run`, which gets the instructions and returns the results, one per line, in any order. @returns Microseconds per
 * sub-task.
 */
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
