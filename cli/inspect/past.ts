/**
 * The past of a task, before a listener came, in messages: the states that the statuses of a task tell, and the machine as
 * its last commit has it. Events in between are not in the log.
 */
import type { CrewSession } from '../../actors/node/join.ts';
import { Inspected, type InspectedSnapshot } from '../../bus/inspect/inspection-messages.ts';
import type { LiveMachine, MachineReport, PassedState } from '../../bus/inspect/machine-report.ts';
import { isWithin, type TaskId } from '../../bus/task-id.ts';
import { CoxError } from '../../platform/errors.ts';
import { machineOf } from './machine-of.ts';

/** Most tasks whose past is read: the latest ones. */
export const mostPast = 100;

export interface Past {
  /** Parents before children. */
  readonly tasks: readonly TaskId[];
  readonly leftOut: number;
}

/** The tasks whose past is worth telling: those of a tree, or all that have not ended. */
export async function tasksOfPast({ crew }: CrewSession, id: TaskId | null): Promise<Past> {
  const all = await crew.tasks(id === null ? undefined : id.slice(0, id.indexOf('.')));
  const wanted = all.filter((task) => (id === null ? task.outcome === null : isWithin(task.id, id))).map((task) => task.id);
  const tasks = wanted.slice(Math.max(0, wanted.length - mostPast));
  // The task that was asked for is there, however many came after it.
  const own = id !== null && !tasks.includes(id) && wanted.includes(id) ? [id, ...tasks.slice(1)] : tasks;
  return { tasks: own, leftOut: wanted.length - own.length };
}

/** @returns nothing for a task that is gone meanwhile, or whose node does not answer. */
export async function pastOf(joined: CrewSession, task: TaskId): Promise<Inspected[]> {
  try {
    return messagesOf(await machineOf(joined, task));
  } catch (cause) {
    if (cause instanceof CoxError) return [];
    throw cause;
  }
}

export function messagesOf({ machine, version, live }: MachineReport): Inspected[] {
  if (!live) return [];
  const first = live.path[0];
  const begun = { at: first?.at ?? live.at ?? new Date(0).toISOString(), node: first?.node ?? '' };
  const messages: readonly object[] = [
    { ...begun, type: '@xstate.actor', machine, version, snapshot: { status: 'active', value: 'idle' } },
    ...live.path.flatMap((passed) => {
      const told = { at: passed.at, node: passed.node, event: eventOf(passed) };
      return [
        { ...told, type: '@xstate.event' },
        { ...told, type: '@xstate.snapshot', snapshot: stateOf(passed) },
      ];
    }),
    {
      ...{ at: live.at ?? begun.at, node: live.path.at(-1)?.node ?? '' },
      ...{ type: '@xstate.snapshot', event: { type: 'cox.commit' }, snapshot: presentOf(live) },
    },
  ];
  return messages.map((message, seq) => Inspected.parse({ ...message, task: live.task, epoch: 0, past: true, seq }));
}

/** A status says why it came, as far as it knows. */
const eventOf = ({ commit, step, why, doing }: PassedState) => ({
  type: 'cox.status',
  commit,
  step,
  ...(doing !== undefined && { doing }),
  ...(why !== undefined && { why }),
});

const stateOf = ({ path, state, step, backend, doing }: PassedState): InspectedSnapshot => ({
  status: state === 'done' ? 'done' : 'active',
  value: stateValue(path.split('.')),
  context: { step, backend, ...(doing !== undefined && { doing }) },
});
const stateValue = ([key = '', ...rest]: readonly string[]): unknown => (rest.length === 0 ? key : { [key]: stateValue(rest) });

const presentOf = ({ value, states, context }: LiveMachine): InspectedSnapshot => ({
  status: states.includes('done') ? 'done' : 'active',
  value,
  context,
});
