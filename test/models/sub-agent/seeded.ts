/**
 * Errors in the code of the sub-agent’s guards and actions, which no change of the chart’s shape makes. One likely mistake each.
 */

import { leftUsd, settleInDoubt } from '../../../machines/budget.ts';
import { type SubAgentContext, subAgent } from '../../../machines/sub-agent.ts';
import type { Mutant } from '../mutants.ts';
import { seeding } from '../seeding.ts';

const { guards, action, without, with: withMore, original: originally } = seeding<SubAgentContext>(subAgent);
const head = ({ calls }: SubAgentContext) => calls[0];
const left = (context: SubAgentContext) => leftUsd(context.limits.costUsd, context) ?? Number.POSITIVE_INFINITY;
const reads = (context: SubAgentContext) => (head(context)?.effects ?? 'none') === 'none';
const queued = ({ steers }: SubAgentContext) => steers.filter(({ fate }) => fate === 'queued');

export const seeded: Mutant[] = [
  guards('next-step interrupts, now does not', {
    interruptsNow: ({ context, event }) => event.urgency === 'next-step' && reads(context),
  }),
  guards('after interrupts too', { interruptsNow: ({ context, event }) => event.urgency !== 'next-step' && reads(context) }),
  guards('a tool that writes is interrupted', {
    isInterruptible: () => true,
    interruptsNow: ({ event }) => event.urgency === 'now',
  }),
  guards('an idempotent tool is interrupted', {
    isInterruptible: ({ context }) => head(context)?.effects !== 'writes',
    interruptsNow: ({ context, event }) => event.urgency === 'now' && head(context)?.effects !== 'writes',
  }),
  guards('nothing is ever in doubt', { isInDoubt: () => false, leavesDoubt: () => false }),
  guards('an idempotent tool is in doubt', {
    isInDoubt: ({ context: { calls, question } }) =>
      calls[0]?.started === true && calls[0].effects !== 'none' && question === null,
  }),
  guards('a doubt is asked about twice', {
    isInDoubt: ({ context: { calls } }) => calls[0]?.started === true && calls[0].effects === 'writes',
  }),
  guards('paused does not hold', { isHeld: ({ context }) => context.question !== null }),
  guards('a question does not hold', { isHeld: ({ context }) => context.paused }),
  guards('any correction overtakes', { isOvertaken: ({ context }) => context.calls.length > 0 && queued(context).length > 0 }),
  guards('what may have run is overtaken', {
    isOvertaken: ({ context }) => context.calls.length > 0 && queued(context).some(({ urgency }) => urgency === 'now'),
  }),
  guards('one failure more', {
    isStuck: ({ context: { failures, limits, repeats, lastFailure } }) =>
      failures > limits.failures || repeats >= limits.repeats || lastFailure?.retryable === false,
  }),
  guards('repeats are not seen', {
    isStuck: ({ context: { failures, limits, lastFailure } }) => failures >= limits.failures || lastFailure?.retryable === false,
  }),
  guards('one repeat more', {
    isStuck: ({ context: { failures, limits, repeats, lastFailure } }) =>
      failures >= limits.failures || repeats > limits.repeats || lastFailure?.retryable === false,
  }),
  guards('what no retry mends is retried', {
    isStuck: ({ context: { failures, limits, repeats } }) => failures >= limits.failures || repeats >= limits.repeats,
  }),
  guards('one step more', {
    isOutOfBudget: ({ context: { step, limits, usage } }) =>
      step > limits.steps || Object.values(usage).reduce((sum, { costUsd }) => sum + costUsd, 0) >= (limits.costUsd ?? Infinity),
  }),
  guards('cost is not looked at', { isOutOfBudget: ({ context: { step, limits } }) => step >= limits.steps }),
  guards('cost only of the first backend', {
    isOutOfBudget: ({ context: { step, limits, usage } }) =>
      step >= limits.steps || (Object.values(usage)[0]?.costUsd ?? 0) >= (limits.costUsd ?? Infinity),
  }),
  guards('it ends with after queued', {
    isFinished: ({ context }) => context.answer !== null && !queued(context).some(({ urgency }) => urgency !== 'after'),
  }),
  guards('it ends whatever is queued', { isFinished: ({ context }) => context.answer !== null }),
  guards('any result is the right one', { returnsCall: ({ event }) => event.type === 'TOOL_RETURNED' }),
  guards('any late result settles a doubt', { answersDoubt: ({ context }) => context.question?.kind === 'in-doubt' }),
  guards('a late result settles anything', { answersDoubt: ({ context, event }) => event.call === context.calls[0]?.id }),
  guards('any answer is taken', {
    answersAboutCall: ({ context: { question } }) => ['asked', 'approval', 'in-doubt'].includes(question?.kind ?? ''),
  }),
  guards('stop stops without being offered', {
    answersStop: ({ context: { question }, event }) => event.question === question?.id && event.text === 'stop',
  }),
  guards('a stale stop stops', {
    answersStop: ({ context: { question }, event }) => event.text === 'stop' && question?.kind !== 'asked',
  }),
  guards('a correction is taken for help by whoever asks', { waitsForHelp: ({ context }) => context.question !== null }),
  guards('a top-up answers whatever is asked', { waitsForBudget: ({ context }) => context.question !== null }),
  action('what was heard is thrown away', 'keepPartial', () => ({ partial: '' })),
  action('what was heard is kept twice', 'keepPartial', ({ messages, partial }) => ({
    messages: partial ? [...messages, { role: 'assistant', text: partial, unfinished: true }] : messages,
  })),
  action('what was heard looks whole', 'keepPartial', ({ messages, partial }) => ({
    partial: '',
    messages: partial ? [...messages, { role: 'assistant', text: partial }] : messages,
  })),
  action('only the last chunk is heard', 'hear', (_, { text }) => ({ partial: text })),
  action('steers are queued newest first', 'queue', ({ steers }, { id, text, urgency = 'now', type }) => ({
    steers: [{ id, text, urgency, kind: type.toLowerCase(), fate: 'queued' }, ...steers],
  })),
  action('receipts do not say what was done instead', 'queue', ({ steers }, { id, text, urgency = 'now', type }) => ({
    steers: [...steers, { id, text, urgency, kind: type.toLowerCase(), fate: 'queued' }],
  })),
  action('after is taken up at once', 'beginStep', (context) => ({
    step: context.step + 1,
    answer: null,
    steers: context.steers.map((steer) =>
      steer.fate === 'queued' ? { ...steer, fate: 'applied', step: context.step + 1 } : steer,
    ),
    messages: [...context.messages, ...queued(context).map(({ text }) => ({ role: 'user', text }))],
  })),
  without('steers are applied and not said', 'beginStep', 'messages'),
  without('steers are said and not applied', 'beginStep', 'steers'),
  without('steps are not counted', 'beginStep', 'step'),
  without('an old answer stays', 'beginStep', 'answer'),
  without('a call is not marked before it begins', 'beginCall', 'calls'),
  action('every call is marked', 'beginCall', ({ calls }) => ({ calls: calls.map((call) => ({ ...call, started: true })) })),
  without('queued steers are lost at the end', 'finish', 'steers'),
  without('a stop throws the conversation away', 'finish', 'messages'),
  without('a question is left open at the end', 'finish', 'question'),
  without('the outcome is not kept', 'finish', 'outcome'),
  without('dropped calls get no result', 'dropCalls', 'messages'),
  without('dropped calls are not dropped', 'dropCalls', 'calls'),
  without('a redirect keeps the old instruction', 'redirect', 'instruction'),
  without('a redirect leaves the question open', 'redirect', 'question'),
  without('a redirect keeps the failures', 'redirect', 'failures'),
  without('a redirect keeps the repeats', 'redirect', 'repeats'),
  without('a redirect keeps the last failure', 'redirect', 'lastFailure'),
  action('a redirect settles a doubt', 'redirect', (_, { text }) => ({
    instruction: text,
    question: null,
    failures: 0,
    repeats: 0,
    lastFailure: null,
  })),
  without('a closed question keeps the failures', 'closeQuestion', 'failures'),
  without('a closed question keeps the repeats', 'closeQuestion', 'repeats'),
  without('a closed question keeps the last failure', 'closeQuestion', 'lastFailure'),
  withMore('money forgives the failures', 'closeBudgetQuestion', () => ({ failures: 0, lastFailure: null })),
  withMore('steps forgive the repeats', 'closeBudgetQuestion', () => ({ repeats: 0 })),
  without('a reply keeps the failures', 'recordReply', 'failures'),
  without('a reply keeps the partial', 'recordReply', 'partial'),
  without('a reply’s usage is lost', 'recordReply', 'usage'),
  without('a reply’s repeats are not counted', 'recordReply', 'repeats'),
  without('a reply is not remembered', 'recordReply', 'messages'),
  without('a last word is not noticed', 'recordReply', 'answer'),
  withMore('usage is overwritten', 'recordReply', (_, event) => ({ usage: { [event.backend]: event.usage } })),
  withMore('a reply forgives the tools', 'recordReply', () => ({ failures: 0, lastFailure: null })),
  without('a result keeps its call', 'recordResult', 'calls'),
  without('a result is not said', 'recordResult', 'messages'),
  without('failed tools are not counted', 'recordResult', 'failures'),
  without('what failed is forgotten', 'recordResult', 'lastFailure'),
  without('crashed tools are not counted', 'recordCrash', 'failures'),
  without('failed models are not counted', 'countFailure', 'failures'),
  without('why the model failed is forgotten', 'countFailure', 'lastFailure'),
  without('an approval does not clear the gate', 'applyAnswer', 'calls'),
  without('an answer is not said', 'applyAnswer', 'messages'),
  without('what was done is not listed', 'recordResult', 'effects'),
  without('what was read is not listed', 'recordResult', 'sources'),
  without('a crashed call is not listed', 'recordCrash', 'effects'),
  without('a denied call is not listed', 'applyAnswer', 'effects'),
  without('what may have run at the end is not listed', 'finish', 'effects'),
  action('a failed call is listed as done', 'recordResult', (context, event, params) => ({
    ...originally('recordResult')(context, { ...event, failed: undefined }, params),
    failures: event.text === 'ok' ? 0 : context.failures + 1,
    lastFailure: event.text === 'ok' ? null : { code: 'tool-failed', message: event.text, retryable: true },
  })),
  action('only the latest read is listed', 'recordResult', (context, event, params) => ({
    ...originally('recordResult')(context, event, params),
    sources: event.sources ?? [],
  })),
  action('a changed file is written all the same', 'askAgain', ({ calls }) => ({
    calls: calls.map((call) => ({ ...call, started: false })),
  })),
  action('what was allowed is forgotten by the next allowance', 'allow', (_, { tool }) => ({ allowed: [tool] })),
  guards('whatever is allowed answers the question', {
    allowsCall: ({ context: { question } }) => question?.kind === 'approval',
  }),
  action('an edit by the operator is ignored', 'applyAnswer', (context, event, params) =>
    originally('applyAnswer')(context, { ...event, args: undefined }, params),
  ),
  guards('nobody is shown what would change', { isUnseen: () => false }),
  guards('a tool that decides is not asked where the operator has allowed it', {
    isUnseen: ({ context }) =>
      head(context)?.gated === true && !context.allowed.includes(head(context)!.tool) && head(context)?.preview === undefined,
  }),
  action('a call passes whatever its tool says', 'recordPreview', ({ calls }, _, { preview }) => ({
    calls: calls.map((call, i) => (i === 0 ? { ...call, preview, ...(call.mayPass && { gated: false }) } : call)),
  })),
  action('no call passes', 'recordPreview', ({ calls }, _, { preview }) => ({
    calls: calls.map((call, i) => (i === 0 ? { ...call, preview } : call)),
  })),
  action('a call passes that the roster has asked about', 'recordPreview', ({ calls }, _, { preview, ask }) => ({
    calls: calls.map((call, i) => (i === 0 ? { ...call, preview, ...(!ask && { gated: false }) } : call)),
  })),
  guards('what is allowed is asked about', { isGated: ({ context }) => head(context)?.gated === true }),
  guards('nothing is checked', { isUnchecked: () => false }),
  guards('it is told again and again', { wasTold: () => false }),
  without('a redirect must still produce what the plan said', 'redirect', 'mustProduce'),
  without('a redirect keeps what was missing', 'redirect', 'missing'),
  without('the agent is not told what is missing', 'tellMissing', 'messages'),
  without('what is missing is not remembered', 'tellMissing', 'missing'),
  without('an old check counts for a new answer', 'beginStep', 'checked'),
  withMore('questions share an id', 'ask', ({ questions }) => ({ questions })),
  action('a top-up sets the limit', 'topUp', ({ limits }, { steps, costUsd }) => ({
    limits: { ...limits, steps: steps ?? limits.steps, costUsd: costUsd ?? limits.costUsd },
  })),
  action('a top-up adds no money', 'topUp', ({ limits }, { steps = 0 }) => ({
    limits: { ...limits, steps: limits.steps + steps },
  })),
  guards('whatever it costs is paid', { isAffordable: () => true }),
  guards('what would take the last of it is too dear', {
    isAffordable: ({ context, event }) => event.worstUsd < left(context),
  }),
  guards('what is spent is not looked at', {
    isAffordable: ({ context: { limits }, event }) => event.worstUsd <= (limits.costUsd ?? Infinity),
  }),
  guards('what is out is not looked at', {
    isAffordable: ({ context, event }) => event.worstUsd <= left({ ...context, reserved: null }),
  }),
  guards('a call that was made is taken back', { isUnmade: () => true }),
  guards('a call that was not made is not taken back', { isUnmade: () => false }),
  without('nothing is set aside', 'reserve', 'reserved'),
  without('what was out before is forgotten', 'reserve', 'usage'),
  without('a bill is not spent', 'bill', 'usage'),
  without('a bill leaves the worst case out', 'bill', 'reserved'),
  without('a reply leaves the worst case out', 'recordReply', 'reserved'),
  without('what is in doubt costs nothing', 'countDoubt', 'usage'),
  without('what is in doubt stays out', 'countDoubt', 'reserved'),
  action('what a reply bills counts twice', 'countDoubt', (context) => settleInDoubt(context)),
  without('a step that is taken back counts', 'takeBackStep', 'step'),
  without('a step that is taken back has seen the corrections', 'takeBackStep', 'steers'),
  without('a step that is taken back has said the corrections', 'takeBackStep', 'messages'),
  without('a step that is taken back forgets the answer', 'takeBackStep', 'answer'),
  without('a top-up of dollars is not told', 'topUp', 'toppedUpUsd'),
  without('who can’t afford it asks under an old id', 'askToAfford', 'questions'),
  action('a command is applied at the next step', 'acknowledge', ({ steers, step }, { id, type, text = '' }) => ({
    steers: [...steers, { id, kind: type.toLowerCase(), text, urgency: 'now', fate: 'applied', step: step + 1 }],
  })),
];
