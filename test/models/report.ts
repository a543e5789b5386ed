/** The final report of both charts’ suites; missing coverage is a failure. */
import type { AnyStateMachine } from 'xstate';
import { allStates, allTransitions } from './coverage.ts';
import type { Score } from './mutants.ts';

/** `COX_MODELS=large`: larger sets, which take an hour. */
export const isLarge = process.env.COX_MODELS === 'large';

/** The seed for fast-check. A failure prints it; `COX_SEED` repeats it. */
export const seed = process.env.COX_SEED === undefined ? Date.now() % 2 ** 31 : Number(process.env.COX_SEED);

export function coverage(machine: AnyStateMachine, covered: ReadonlySet<string>, paths: number): string[] {
  const transitions = allTransitions(machine);
  const states = allStates(machine);
  const missing = [...transitions.filter((each) => !covered.has(each)), ...states.filter((each) => !covered.has(each))];
  const taken = transitions.filter((each) => covered.has(each)).length;
  const seen = states.filter((each) => covered.has(each)).length;
  process.stdout.write(
    `${machine.id}: ${taken}/${transitions.length} transitions, ${seen}/${states.length} states, ${paths} paths\n`,
  );
  return missing;
}

export function report(name: string, { killed, total, survivors }: Score): void {
  const seconds = Math.round(process.cpuUsage().user / 1e6);
  process.stdout.write(
    `${name}: mutants killed: ${killed}/${total} (${seconds} s of processor time)\n${survivors.map((each) => `  survived: ${each}\n`).join('')}`,
  );
}
