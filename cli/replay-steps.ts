/** The steps of a task, or of all tasks of a tree in the order of time, as a replay shows them. */
import type { CrewSession } from '../actors/node/join.ts';
import type { JournalOptions } from '../bus/journal/journal.ts';
import type { JournalQuery, JournalStep } from '../bus/journal/journal-messages.ts';
import type { TaskId } from '../bus/task-id.ts';
import { messageOf } from '../platform/errors.ts';
import type { Cli } from './cli.ts';
import { readRoster } from './roster.ts';

/** A step with its place among all that are shown. */
export interface ReplayStep extends JournalStep {
  readonly task: TaskId;
  /** Key in the plan of the parent. */
  readonly key: string | null;
  readonly type: string;
  /** From 1. */
  readonly n: number;
  readonly of: number;
}

/** Tasks whose journals are read at the same time. */
const atOnce = 8;

/** @throws CoxError `unknown-task`. */
export async function stepsOfTree(
  { crew }: CrewSession,
  id: TaskId,
  prompts: JournalQuery['prompts'],
  options: JournalOptions,
): Promise<ReplayStep[]> {
  const tasks = (await crew.tree(id)).filter((node) => node.id !== null);
  const found: Omit<ReplayStep, 'n' | 'of'>[] = [];
  for (let from = 0; from < tasks.length; from += atOnce) {
    const read = tasks.slice(from, from + atOnce).map(async ({ id: task, key, type }) => {
      const { steps } = await crew.journal({ task: task!, prompts }, { ...options, all: true }).catch(unlessUnborn);
      return steps.map((step) => ({ ...step, task: task!, key, type }));
    });
    found.push(...(await Promise.all(read)).flat());
  }
  // Steps of one task stay in their order also where two clocks differ: sorting is stable, and a later step never begins earlier.
  found.sort((a, b) => (a.task === b.task ? a.step - b.step : Date.parse(a.at) - Date.parse(b.at)));
  return found.map((step, i) => ({ ...step, n: i + 1, of: found.length }));
}

/** A planned sub-task has no record before it is claimed. */
function unlessUnborn(cause: unknown): { steps: JournalStep[] } {
  if (cause instanceof Error && 'code' in cause && cause.code === 'unknown-task') return { steps: [] };
  throw cause;
}

/**
 * Builds the prompts again, by the kinds and the roster of this machine. A client that may not read the streams asks the nodes,
 * which do it themselves.
 * @returns null for such a client, and where the roster cannot be read.
 */
export async function openDesk(cli: Cli, joined: CrewSession) {
  const [{ openReplayDesk }, { RemoteCrew }] = await Promise.all([
    import('../actors/node/replay-desk.ts'),
    import('../bus/remote-crew.ts'),
  ]);
  if (joined.crew instanceof RemoteCrew) return null;
  try {
    const { roster } = await readRoster(cli, joined.folders);
    return openReplayDesk(joined, roster, cli.global.workspace);
  } catch (cause) {
    cli.out.note(`The prompts are shown without what the kinds of the roster add: ${messageOf(cause)}`);
    return null;
  }
}
