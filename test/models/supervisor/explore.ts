/** The sets of paths through the supervisor’s chart. */
import type { AnyStateMachine } from 'xstate';
import type { Directive, NodeSpec } from '../../../machines/plan.ts';
import { supervisor } from '../../../machines/supervisor.ts';
import type { SupervisorEvent } from '../../../machines/supervisor-context.ts';
import { edgePaths } from '../explore.ts';
import { alphabet, inputFor, label, type ModelEvent } from './alphabet.ts';
import { type Look, look, type Snap, stateOf } from './observation.ts';

/** A directive, and the number of children that may run at once: two run side by side, one shows the limit. */
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

/**
 * The situation as an operator sees it: whether a request is paid for, and the number of sub-tasks in each status, unless all are
 * being stopped.
 */
const tiny = (snapshot: Snap) => {
  const { paused, question, nodes, failures, reserved } = snapshot.context;
  const state = stateOf(snapshot);
  const statuses = Object.values(nodes).map(({ status }) => status.slice(0, 2));
  const failed = state === 'decomposing' || state === 'reducing' ? failures : '';
  const asked = question && (question.key === null ? question.kind : '');
  return [state, paused, asked, failed, reserved !== null, state === 'stopping' ? '' : statuses.sort()].join('|');
};
const small = (snapshot: Snap) => {
  const { undecided, nodes, stopping } = snapshot.context;
  const statuses = Object.values(nodes).map(({ status }) => status.slice(0, 2));
  return [tiny(snapshot), undecided.length, stopping.length > 0, statuses.sort()].join('|');
};
/** Also the reducer, and whether something is queued for later. */
const large = (snapshot: Snap) => {
  const { steers, reduce } = snapshot.context;
  return [small(snapshot), reduce?.by, steers.some(({ fate, urgency }) => fate === 'queued' && urgency === 'after')].join('|');
};
const sizes = {
  tiny: { project: tiny, histories: 1 },
  small: { project: small, histories: 3 },
  large: { project: large, histories: 1 },
};

/**
 * Paths that are too rare for random walks and look the same in the projections: an overtaken answer, a child that never
 * confirms, a failure before a top-up, a child that begins to wait during a pause.
 */
const toldApart = (policy: Policy): ModelEvent[][] => {
  const usage = { inputTokens: 2, outputTokens: 1, costUsd: 0.25 };
  const planned = (nodes: NodeSpec[]): ModelEvent => ({
    ...{ type: 'PLANNED', nodes, usage, backend: 'local' },
    reduce: { by: 'orchestrator', instruction: '' },
  });
  const a: NodeSpec = { key: 'a', type: 'files', instruction: 'do a', needs: [], after: [], backend: null };
  const later: ModelEvent = { type: 'STEER', id: 's1', text: 't1', urgency: 'after' };
  const answered: ModelEvent = { type: 'REDUCED', answer: 'the answer', usage, backend: 'local' };
  const failed: ModelEvent = { type: 'REDUCE_FAILED', error: { code: 'busy', message: 'busy', retryable: true } };
  const tooDear: ModelEvent = { type: 'CALL_PRICED', backend: 'paid', worstUsd: 64 };
  const notPlanned: ModelEvent = { type: 'PLAN_FAILED', error: { code: 'busy', message: 'busy', retryable: true } };
  const told: ModelEvent[][] = [
    [notPlanned, tooDear, { type: 'BUDGET', id: 's1', costUsd: 64 }, notPlanned],
    [
      planned([a, { ...a, key: 'b' }, { ...a, key: 'c' }]),
      { type: 'PAUSE', id: 's1' },
      { type: 'CHILDREN_WAIT', children: [1] },
      { type: 'RESUME', id: 's2' },
    ],
    [
      planned(['a', 'b', 'c', 'd'].map((key) => ({ ...a, key }))),
      { type: 'CHILDREN_WAIT', children: [1] },
      { type: 'CHILDREN_WAIT', children: [2] },
    ],
    [tooDear, { type: 'BUDGET', id: 's1', costUsd: 4 }, tooDear],
    [planned([]), later, answered, { type: 'CANCEL', id: 's2' }],
    [planned([]), failed, later, answered, failed],
    [planned([a]), { type: 'DROP', id: 's1', key: 'a' }, { type: 'CANCEL', id: 's2' }, { type: 'DRAIN_EXPIRED' }],
  ];
  return policy === asking ? told.map((path) => [{ type: 'START' }, ...path]) : [];
};

export const paths = (size: keyof typeof sizes, policy: Policy, machine: AnyStateMachine = supervisor): ModelEvent[][] => [
  ...edgePaths({
    machine,
    input: inputFor(policy.onFailure, policy.concurrency),
    alphabet: (snapshot: Snap) => {
      const here = look(snapshot);
      const matters = (event: ModelEvent) => (policy === asking || mattersUnder(event.type)) && !isThird(event, here);
      return alphabet(here).filter(matters);
    },
    label,
    ...sizes[size],
  }),
  ...toldApart(policy),
];

/** A third sub-task is left to random walks: it multiplies the states by five. */
const isThird = (event: ModelEvent, { keys }: Look) => event.type === 'ADD' && event.node.key === 'd' && keys.length > 1;

/** Under the other directives only the events after a failure are new. */
const mattersUnder = (type: string) =>
  [
    'START',
    'PLANNED',
    'CHILDREN_RETURNED',
    'CHILDREN_WAIT',
    'REDUCED',
    'ANSWER',
    'CANCEL',
    'RERUN',
    'DROP',
    'DRAIN_EXPIRED',
  ].includes(type);

/**
 * The small set for a suite that drives a real goal over the bus, where facts are brought about instead of sent; `RESTORED` is
 * the loss of the worker.
 */
export const smallPaths = (policy: Policy = asking): SupervisorEvent[][] =>
  paths('tiny', policy).filter((path): path is SupervisorEvent[] => !path.some(({ type }) => /^(xstate\.|CALL_)/.test(type)));
