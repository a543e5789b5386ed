/** The events that can come next for a supervisor, as seen from outside, and the effect that sends each. */
import type { AnyEventObject } from 'xstate';
import type { Failure } from '../../../machines/conversation.ts';
import type { Directive, NodeSpec } from '../../../machines/plan.ts';
import type { Return, SupervisorEvent, SupervisorInput } from '../../../machines/supervisor-context.ts';
import type { SaidBy } from '../rig.ts';
import type { Look } from './observation.ts';

export const effects = ['decompose', 'reduce', 'drain', 'deadline'] as const;
export const inputFor = (onFailure: Directive, concurrency: number): SupervisorInput => ({
  instruction: 'the goal',
  backend: 'local',
  policy: { concurrency, onFailure, maxAttempts: 2, deadlineAt: 1e15, budgetUsd: 8 },
  allowed: ['read'],
});

export type Broken = { type: `xstate.error.actor.${(typeof effects)[number]}`; error: string };
export type ModelEvent = SupervisorEvent | Broken;

const usage = { inputTokens: 2, outputTokens: 1, costUsd: 0.25 };
const node = (key: string, ...after: string[]): NodeSpec => ({
  key,
  type: 'files',
  instruction: `do ${key}`,
  needs: [],
  after,
  backend: null,
});
const busy: Failure = { code: 'busy', message: 'busy', retryable: true };
const refused: Failure = { code: 'refused', message: 'refused', retryable: false };

type Planned = Extract<SupervisorEvent, { type: 'PLANNED' }>;
const planned = (nodes: NodeSpec[], reduce: Planned['reduce']): Planned => ({
  type: 'PLANNED',
  nodes,
  reduce,
  usage,
  backend: 'local',
});
const thought = { by: 'orchestrator', instruction: 'in one word' } as const;
const plans: Planned[] = [
  planned([node('a'), node('b', 'a')], thought),
  planned([node('a'), node('b')], thought),
  planned([node('a')], { by: 'concat' }),
  planned([], { by: 'backend', backend: 'x', instruction: '' }),
];

function commands(id: string, text: string): SupervisorEvent[] {
  return [
    { type: 'STEER', id, text, urgency: 'now' },
    { type: 'STEER', id, text, urgency: 'next-step' },
    { type: 'STEER', id, text, urgency: 'after' },
    { type: 'REDIRECT', id, text },
    { type: 'SWAP', id, backend: 'other' },
    { type: 'SWAP', id, backend: 'other', now: true },
    { type: 'ALLOW', id, tool: 'pay' },
    { type: 'BUDGET', id, steps: 1 },
    { type: 'BUDGET', id, costUsd: 4 },
    { type: 'PAUSE', id },
    { type: 'RESUME', id },
    { type: 'CANCEL', id },
    { type: 'ANSWER', id, question: 'q0', text: 'stop' },
  ];
}
const changes = (id: string): SupervisorEvent[] => [
  { type: 'ADD', id, node: node('d', 'a') },
  { type: 'ADD', id, node: node('loop', 'loop') },
  { type: 'DROP', id, key: 'a' },
  { type: 'DROP', id, key: 'b' },
  { type: 'RERUN', id, key: 'a' },
  { type: 'RERUN', id, key: 'b', instruction: 'do b better', backend: 'fast' },
  // A property of every object is not a sub-task.
  { type: 'RERUN', id, key: 'constructor' },
];
const ok = (child: number): Return => ({ child, outcome: 'completed', failure: null, usage: { small: usage } });
const returned = (...returns: Return[]): SupervisorEvent => ({ type: 'CHILDREN_RETURNED', returns });
const returnsOf = (child: number): SupervisorEvent[] => [
  returned(ok(child)),
  returned({ ...ok(child), toppedUpUsd: 2 }),
  returned({ ...ok(child), outcome: 'failed', failure: busy, backend: 'small' }),
  returned({ ...ok(child), outcome: 'failed', failure: refused }),
  returned({ ...ok(child), outcome: 'cancelled' }),
];
/** The budget is $8: requests that fit, that fit unless children have the rest, that take all of it, and that never fit. */
const prices: SupervisorEvent[] = [
  ...[1, 4, 8, 64].map((worstUsd): SupervisorEvent => ({ type: 'CALL_PRICED', backend: 'paid', worstUsd })),
  { type: 'CALL_BILLED', backend: 'paid', usage: { inputTokens: 1, outputTokens: 0, costUsd: 0.125 } },
];
const broken = (effect: (typeof effects)[number]): Broken => ({ type: `xstate.error.actor.${effect}`, error: 'broken' });
const facts: Partial<Record<Look['state'], ModelEvent[]>> = {
  decomposing: [
    ...prices,
    ...plans,
    { type: 'PLAN_FAILED', error: busy },
    { type: 'PLAN_FAILED', error: refused },
    broken('decompose'),
  ],
  reducing: [
    ...prices,
    { type: 'REDUCED', answer: 'the answer', usage, backend: 'local' },
    { type: 'REDUCE_FAILED', error: busy },
    { type: 'REDUCE_FAILED', error: refused },
    broken('reduce'),
  ],
  stopping: [{ type: 'DRAIN_EXPIRED' }, broken('drain')],
};

export function alphabet({ state, question, live, children, commands: n }: Look): ModelEvent[] {
  if (state === 'done') return [];
  const id = `s${n + 1}`;
  const sent = commands(id, `t${n + 1}`);
  if (state === 'idle') return [{ type: 'START' }, ...sent, ...changes(id).slice(0, 1)];
  const answers = question ? [...(question.choices ?? []), 'words'] : [];
  const gone = Array.from({ length: children }, (_, i) => i + 1).filter((child) => !live.includes(child));
  const returns = [
    ...live.flatMap(returnsOf),
    ...(live.length > 1 ? [returned(...live.map(ok))] : []),
    ...gone.slice(-1).map((child) => returned(ok(child))),
    ...[...live, ...gone.slice(-1)].map((child): SupervisorEvent => ({ type: 'CHILDREN_WAIT', children: [child] })),
  ];
  const ofTime: ModelEvent[] = state === 'stopping' ? [] : [broken('deadline'), { type: 'DEADLINE_PASSED' }];
  return [
    ...(facts[state] ?? []),
    ...returns,
    ...answers.map((text): SupervisorEvent => ({ type: 'ANSWER', id, question: question!.id, text })),
    ...sent,
    ...changes(id),
    ...ofTime,
    { type: 'RESTORED' },
  ];
}

/** Without the numbers of children, which grow without end. The state that a return leads to shows its meaning. */
export function label(event: ModelEvent): string {
  const { type } = event;
  if (type === 'SWAP') return `${type}${event.now ? ' now' : ''}`;
  if (type === 'STEER') return `${type} ${event.urgency}`;
  if (type === 'ANSWER') return `${type} ${event.question === 'q0' ? 'stale' : event.text}`;
  if (type === 'CALL_PRICED') return `${type} ${event.worstUsd}`;
  if (type === 'BUDGET') return `${type} ${event.steps ? 'steps' : 'cost'}`;
  if (type === 'PLANNED') return `${type} ${event.nodes.map(({ key, after }) => [key, ...after].join('<'))} ${event.reduce.by}`;
  if (type === 'PLAN_FAILED' || type === 'REDUCE_FAILED') return `${type} ${event.error.code}`;
  if (type === 'CHILDREN_RETURNED')
    return `${type} ${event.returns.map(({ outcome, failure, toppedUpUsd = '' }) => `${failure?.code ?? outcome}${toppedUpUsd}`)}`;
  if (type === 'ADD') return `${type} ${event.node.key}`;
  if (type === 'DROP' || type === 'RERUN') return `${type} ${event.key}`;
  return type;
}

const speakers: Record<string, string> = {
  PLANNED: 'decompose',
  PLAN_FAILED: 'decompose',
  REDUCED: 'reduce',
  REDUCE_FAILED: 'reduce',
  DRAIN_EXPIRED: 'drain',
  DEADLINE_PASSED: 'deadline',
};
export const saidBy: SaidBy = ({ type }: AnyEventObject) => {
  if (type.startsWith('CALL_')) return { effect: ['decompose', 'reduce'], last: false };
  const effect =
    speakers[type] ?? (type.startsWith('xstate.error.actor.') ? type.slice('xstate.error.actor.'.length) : undefined);
  return effect === undefined ? null : { effect, last: true };
};

/** A cooperative operator and children that all succeed: they end any goal. */
export function towardsTheEnd({ state, paused, question, live, commands: n }: Look): SupervisorEvent | null {
  const id = `s${n + 1}`;
  if (state === 'done') return null;
  if (state === 'idle') return { type: 'START' };
  if (state === 'decomposing') return planned([node('a'), node('b', 'a')], thought);
  if (state === 'reducing') return { type: 'REDUCED', answer: 'the end', usage, backend: 'other' };
  if (state === 'collecting' || state === 'stopping') return returned(...live.map(ok));
  if (paused) return { type: 'RESUME', id };
  if (question!.kind === 'budget') return { type: 'BUDGET', id, costUsd: 64 };
  return { type: 'ANSWER', id, question: question!.id, text: question!.key === null ? 'try again' : 'skip' };
}
