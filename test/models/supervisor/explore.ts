/** The sets of paths through the supervisor's chart. */
import type { AnyStateMachine } from 'xstate';
import type { SupervisorEvent } from '../../../machines/goal.ts';
import type { Directive } from '../../../machines/plan.ts';
import { supervisor } from '../../../machines/supervisor.ts';
import { edgePaths } from '../explore.ts';
import { alphabet, inputFor, label, type ModelEvent } from './alphabet.ts';
import { type Look, look, type Snap, stateOf } from './observation.ts';

/** A directive, and how many children may run at once: two show that they run side by side, one that there is a limit. */
export interface Policy {
  readonly onFailure: Directive;
  readonly concurrency: number;
}
export const asking: Policy = { onFailure: 'ask', concurrency: 2 };
export const others: readonly Policy[] = [
  { onFailure: 'retry', concurrency: 1 },
  { onFailure: 'failover', concurrency: 2 },
  { onFailure: 'skip', concurrency: 1 },
  { onFailure: 'escalate', concurrency: 2 },
];

/** What an operator would call a different situation: how many sub-tasks are in which status, except where all are being stopped. */
const tiny = (snapshot: Snap) => {
  const { paused, question, nodes, failures } = snapshot.context;
  const state = stateOf(snapshot);
  const statuses = Object.values(nodes).map(({ status }) => status.slice(0, 2));
  const failed = state === 'decomposing' || state === 'reducing' ? failures : '';
  return [state, paused, question && question.key === null, failed, state === 'stopping' ? '' : statuses.sort()].join('|');
};
const small = (snapshot: Snap) => {
  const { undecided, nodes, stopping } = snapshot.context;
  const statuses = Object.values(nodes).map(({ status }) => status.slice(0, 2));
  return [tiny(snapshot), undecided.length, stopping.length > 0, statuses.sort()].join('|');
};
/** And how results are put together, and whether something is queued for later. */
const large = (snapshot: Snap) => {
  const { steers, reduce } = snapshot.context;
  return [small(snapshot), reduce?.by, steers.some(({ fate, urgency }) => fate === 'queued' && urgency === 'after')].join('|');
};
const sizes = {
  tiny: { project: tiny, histories: 1 },
  small: { project: small, histories: 3 },
  large: { project: large, histories: 1 },
};

export const paths = (size: keyof typeof sizes, policy: Policy, machine: AnyStateMachine = supervisor): ModelEvent[][] =>
  edgePaths({
    machine,
    input: inputFor(policy.onFailure, policy.concurrency),
    alphabet: (snapshot: Snap) => {
      const here = look(snapshot);
      const matters = (event: ModelEvent) => (policy === asking || mattersUnder(event.type)) && !isThird(event, here);
      return alphabet(here).filter(matters);
    },
    label,
    ...sizes[size],
  });

/** A third sub-task is left to chance: it multiplies the states by five, and the large set never ends. */
const isThird = (event: ModelEvent, { keys }: Look) => event.type === 'ADD' && event.node.key === 'd' && keys.length > 1;

/** Under the other directives only what a failure leads to is new. */
const mattersUnder = (type: string) =>
  ['START', 'PLANNED', 'CHILDREN_RETURNED', 'REDUCED', 'ANSWER', 'CANCEL', 'RERUN', 'DROP', 'DRAIN_EXPIRED'].includes(type);

/** The small set for a suite that drives a real goal over the bus. A fact there is brought about, not sent; `RESTORED` is the loss of the worker. */
export const smallPaths = (policy: Policy = asking): SupervisorEvent[][] =>
  paths('tiny', policy).filter((path): path is SupervisorEvent[] => !path.some(({ type }) => type.startsWith('xstate.')));
