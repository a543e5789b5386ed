/** The events that can come next for a sub-agent, as seen from outside, and the effect that sends each. */
import type { AnyEventObject } from 'xstate';
import type { SteeringInput } from '../../../bus/messages.ts';
import type { Calls, ToolCall } from '../../../machines/conversation.ts';
import type { SubAgentEvent, SubAgentInput } from '../../../machines/sub-agent.ts';
import type { SaidBy } from '../rig.ts';
import type { Look } from './observation.ts';

export const effects = ['think', 'act', 'preview', 'check', 'deadline'] as const;
export const input: SubAgentInput = {
  instruction: 'do it',
  backend: 'local',
  limits: { steps: 3, failures: 2, repeats: 1, costUsd: 4, deadlineAt: 1e15 },
  mustProduce: true,
  allowed: [],
};

/** An effect that throws. It is xstate’s own event, so the chart’s types do not have it. */
export type Broken = {
  type: `xstate.error.actor.${(typeof effects)[number]}`;
  error: string;
};
export type ModelEvent = SubAgentEvent | Broken;

const call = (id: string, rest: Partial<ToolCall> = {}): ToolCall => ({ id, tool: 'read', args: {}, effects: 'none', ...rest });
const write = (id: string, rest: Partial<ToolCall> = {}) => call(id, { tool: 'write', effects: 'writes', ...rest });
/** One reply of each sort that matters. */
export const replies: Record<string, Calls> = {
  final: [],
  reads: [call('r')],
  writes: [write('w')],
  idempotent: [call('i', { tool: 'put', effects: 'idempotent' })],
  gated: [write('g', { tool: 'pay', gated: true })],
  decides: [write('d', { tool: 'send', gated: true, mayPass: true })],
  asks: [call('a', { tool: 'ask_operator', asks: true, args: { question: 'which?', choices: ['this', 'stop'] } })],
  two: [write('w1'), call('r2')],
  dear: [call('e', { tool: 'dear' })],
};
/** A quarter is exact in binary. `dear` alone reaches the limit, on a backend of its own. */
const billOf = (name: string) => (name === 'dear' ? { costUsd: 4, backend: 'other' } : { costUsd: 0.25, backend: 'local' });

function commands(id: string, text: string): SubAgentEvent[] {
  return [
    { type: 'STEER', id, text, urgency: 'now' },
    { type: 'STEER', id, text, urgency: 'next-step' },
    { type: 'STEER', id, text, urgency: 'after' },
    { type: 'REDIRECT', id, text },
    { type: 'SWAP', id, backend: 'other' },
    { type: 'SWAP', id, backend: 'other', now: true },
    { type: 'ALLOW', id, tool: 'pay' },
    { type: 'ALLOW', id, tool: 'read' },
    { type: 'ALLOW', id, tool: 'send' },
    { type: 'BUDGET', id, steps: 1 },
    { type: 'BUDGET', id, costUsd: 4 },
    { type: 'PAUSE', id },
    { type: 'RESUME', id },
    { type: 'CANCEL', id },
    { type: 'ANSWER', id, question: 'q0', text: 'stop' },
  ];
}
/** The limit is $4: one request fits, one takes all of it, one never fits. */
const prices: SubAgentEvent[] = [
  ...[0.5, 4, 64].map((worstUsd): SubAgentEvent => ({ type: 'CALL_PRICED', backend: 'paid', worstUsd })),
  { type: 'CALL_BILLED', backend: 'paid', usage: { inputTokens: 1, outputTokens: 0, costUsd: 0.125 } },
];
/** Sent only before all other facts of the step. */
const firstPrices = [0.5, 64].map((worstUsd): SubAgentEvent => ({ type: 'CALL_PRICED', backend: 'paid', worstUsd, first: true }));
const modelFacts: ModelEvent[] = [
  ...prices,
  { type: 'xstate.error.actor.think', error: 'broken' },
  { type: 'MODEL_SAID', text: 'tok' },
  { type: 'MODEL_FAILED', error: { code: 'busy', message: 'busy', retryable: true } },
  { type: 'MODEL_FAILED', error: { code: 'refused', message: 'refused', retryable: false } },
  ...Object.entries(replies).map(
    ([name, calls]): SubAgentEvent => ({
      type: 'MODEL_REPLIED',
      text: `said ${name}`,
      calls,
      usage: { inputTokens: 2, outputTokens: 1, costUsd: billOf(name).costUsd },
      backend: billOf(name).backend,
    }),
  ),
];
const edited = { type: 'ANSWER' as const, text: 'approve', args: { price: 5 } };
const changes = [
  { target: 'x', kind: 'created' as const, added: 2 },
  { target: 'y', kind: 'deleted' as const },
];
const previews = (id: string): ModelEvent[] => [
  { type: 'PREVIEWED', call: id, preview: { text: 'the diff', base: 'b1' } },
  { type: 'PREVIEWED', call: id, preview: { text: 'the diff', base: 'b1' }, ask: false },
  { type: 'PREVIEWED', call: id, preview: null },
  { type: 'PREVIEWED', call: 'stale', preview: null },
  { type: 'TOOL_RETURNED', call: id, text: 'refused', failed: true },
  { type: 'TOOL_RETURNED', call: 'stale', text: 'refused', failed: true },
  { type: 'xstate.error.actor.preview', error: 'broken' },
];
const checks: ModelEvent[] = [
  { type: 'CHECKED', missing: null },
  ...prices,
  { type: 'CHECKED', missing: { code: 'not-produced', what: 'x is not there', tool: 'write' } },
  { type: 'CHECKED', missing: { code: 'not-as-expected', what: 'it is wrong', tool: null } },
  { type: 'CHECK_FAILED', error: { code: 'busy', message: 'busy', retryable: true } },
  { type: 'CHECK_FAILED', error: { code: 'refused', message: 'refused', retryable: false } },
  { type: 'xstate.error.actor.check', error: 'broken' },
];
const toolFacts = ({ id, effects }: ToolCall): ModelEvent[] => [
  { type: 'xstate.error.actor.act', error: 'broken' },
  { type: 'TOOL_RETURNED', call: id, text: 'ok', changes, sources: ['x', 'y'] },
  { type: 'CALL_OUTDATED', call: id },
  { type: 'CALL_OUTDATED', call: 'stale' },
  // Only a call that reads asks another backend.
  ...(effects === 'none' ? prices : []),
  // A tool whose calls do not write cannot leave one in doubt.
  ...(effects === 'writes' ? ([{ type: 'CALL_DOUBTED', call: id }] as const) : []),
  { type: 'CALL_DOUBTED', call: 'stale' },
  { type: 'TOOL_RETURNED', call: id, text: 'no', failed: true },
  { type: 'TOOL_RETURNED', call: 'stale', text: 'stale' },
];

export function alphabet({ state, question, call: head, commands: n, isFresh }: Look): ModelEvent[] {
  if (state === 'done') return [];
  const id = `s${n + 1}`;
  const sent = commands(id, `t${n + 1}`);
  if (state === 'idle') return [{ type: 'START' }, ...sent];
  const answers = question ? [...new Set([...(question.choices ?? []), 'words', 'stop'])] : [];
  const thoughts = isFresh ? [...firstPrices, ...modelFacts] : modelFacts;
  const facts =
    state === 'thinking'
      ? thoughts
      : state === 'acting'
        ? toolFacts(head!)
        : state === 'previewing'
          ? previews(head!.id)
          : state === 'checking'
            ? checks
            : [];
  const late: ModelEvent[] =
    state === 'awaiting-steer'
      ? ['stale', ...(head ? [head.id] : [])].map((of) => ({ type: 'TOOL_RETURNED', call: of, text: 'late' }))
      : [];
  return [
    ...facts,
    ...late,
    ...answers.map((text): SubAgentEvent => ({ type: 'ANSWER', id, question: question!.id, text })),
    ...(question?.kind === 'approval' ? [{ ...edited, id, question: question.id }] : []),
    ...sent,
    { type: 'xstate.error.actor.deadline', error: 'broken' },
    { type: 'DEADLINE_PASSED' },
    { type: 'RESTORED' },
  ];
}

export function label(event: ModelEvent): string {
  const { type } = event;
  if (type === 'SWAP') return `${type}${event.now ? ' now' : ''}`;
  if (type === 'STEER') return `${type} ${event.urgency}`;
  if (type === 'ANSWER') return `${type} ${event.question === 'q0' ? 'stale' : event.text}${event.args ? ' edited' : ''}`;
  if (type === 'BUDGET') return `${type} ${event.steps ? 'steps' : 'cost'}`;
  if (type === 'CALL_PRICED') return `${type} ${event.worstUsd}${event.first ? ' first' : ''}`;
  if (type === 'MODEL_REPLIED') return `${type} ${event.text}`;
  if (type === 'MODEL_FAILED' || type === 'CHECK_FAILED') return `${type} ${event.error.code}`;
  if (type === 'TOOL_RETURNED') return `${type} ${event.call} ${event.text}`;
  if (type === 'PREVIEWED') return `${type} ${event.call} ${event.preview?.text}${event.ask === false ? ' passes' : ''}`;
  if (type === 'CALL_OUTDATED' || type === 'CALL_DOUBTED') return `${type} ${event.call}`;
  if (type === 'CHECKED') return `${type} ${event.missing?.what}`;
  if (type === 'ALLOW') return `${type} ${event.tool}`;
  return type;
}

/** `TOOL_RETURNED` comes from the effect in `acting`, else from the host: the late outcome of a fenced worker. */
export const saidBy: SaidBy = ({ type, text, call: of }: AnyEventObject) => {
  if (type === 'MODEL_SAID') return { effect: 'think', last: false };
  if (type === 'CALL_PRICED' || type === 'CALL_BILLED') return { effect: ['think', 'act', 'check'], last: false };
  if (type.startsWith('MODEL_') || type === 'xstate.error.actor.think') return { effect: 'think', last: true };
  if (type === 'xstate.error.actor.act') return { effect: 'act', last: true };
  if (type === 'TOOL_RETURNED' && text === 'refused') return { effect: 'preview', last: of !== 'stale' };
  if (type === 'TOOL_RETURNED') return text === 'late' ? null : { effect: 'act', last: of !== 'stale' };
  if (type === 'CALL_OUTDATED' || type === 'CALL_DOUBTED') return { effect: 'act', last: of !== 'stale' };
  if (type === 'PREVIEWED') return { effect: 'preview', last: of !== 'stale' };
  if (type === 'xstate.error.actor.preview') return { effect: 'preview', last: true };
  if (type === 'CHECKED' || type === 'CHECK_FAILED' || type === 'xstate.error.actor.check')
    return { effect: 'check', last: true };
  if (type === 'DEADLINE_PASSED' || type === 'xstate.error.actor.deadline') return { effect: 'deadline', last: true };
  return null;
};

/** A cooperative operator and a model that replies finally: they end any task, so that the consequences of a path show. */
export function towardsTheEnd({ state, question, call: head, commands: n }: Look): SubAgentEvent | null {
  const id = `s${n + 1}`;
  if (state === 'done') return null;
  if (state === 'idle') return { type: 'START' };
  if (state === 'thinking') {
    const usage = { inputTokens: 2, outputTokens: 1, costUsd: 0.25 };
    return { type: 'MODEL_REPLIED', text: 'the end', calls: [], usage, backend: 'other' };
  }
  if (state === 'acting') return { type: 'TOOL_RETURNED', call: head!.id, text: 'ok' };
  if (state === 'previewing') return { type: 'PREVIEWED', call: head!.id, preview: null };
  if (state === 'checking') return { type: 'CHECKED', missing: null };
  if (!question) return { type: 'RESUME', id };
  if (question.kind === 'budget') return { type: 'BUDGET', id, steps: 5, costUsd: 8 };
  const yes = { approval: 'approve', 'in-doubt': 'run it again', stuck: 'try again', asked: 'words' }[question.kind];
  return { type: 'ANSWER', id, question: question.id, text: yes };
}

/** The message that becomes a swap of the chart. */
export const swapOf = ({ id, backend, now }: Extract<SubAgentEvent, { type: 'SWAP' }>): SteeringInput => ({
  ...{ type: 'swap', id, backend },
  ...(now && { urgency: 'now' }),
});
