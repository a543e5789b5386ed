/**
 * A sub-agent thinks, acts and asks, and can be steered at any moment. After each fact, `deciding` chooses the next state.
 * B. A call is marked `started` on the way into `acting`; the host commits that before the tool runs.
 * C. A started call that writes and has no result is never run again without asking the operator.
 * G. Every command enters the ledger exactly once, and no command is left queued at the end.
 * K. The received part of a reply that was cut off stays in the conversation, marked unfinished.
 * L. Spent money and the worst case of the request in flight together never exceed the limit. If the state of a request ends
 * without a reply, for whatever reason, the request counts as spent at its worst case.
 * Rule `in-doubt` (docs/task-protocol.md).
 */
import { assertEvent, assign, type EventObject, fromCallback, setup } from 'xstate';
import { fitted } from '../platform/cut.ts';
import { applyAnswer, chosen, decisionOf, meaningOf, whyUnclear } from './answer.ts';
import { bill, dollars, leftUsd, reserve, settleInDoubt } from './budget.ts';
import type { Failure, Message, Outcome, Preview, QuestionKind, ToolCall } from './conversation.ts';
import {
  answered,
  givenUp,
  mayHaveRun,
  questionAbout,
  repeatsItself,
  reply,
  spend,
  totalUsage,
  unfinished,
} from './conversation.ts';
import { doubtful, type EffectOutcome, effectsOf } from './effects.ts';
import type { Steer } from './steering-ledger.ts';
import * as ledger from './steering-ledger.ts';
import type {
  ActInput,
  CheckInput,
  DeadlineInput,
  Limits,
  PreviewInput,
  SubAgentContext,
  SubAgentEvent,
  SubAgentInput,
  SubAgentOutput,
  ThinkInput,
} from './sub-agent-context.ts';
import { type Command, entryOf } from './task-commands.ts';

export type * from './sub-agent-context.ts';

/** Compared with the version of a checkpoint before it is restored. Raised when older checkpoints no longer mean the same. */
export const subAgentVersion = 3;

const notProvided = <Input>() =>
  fromCallback<EventObject, Input>(() => {
    throw new Error('effects are provided by actors/: use subAgent.provide({ actors })');
  });

/** True unless the call in flight may have effects and must be left to finish. */
const interruptible = ({ calls: [call] }: SubAgentContext) => call === undefined || !mayHaveRun(call);
const wouldEnd = ({ answer }: SubAgentContext) => answer !== null;
const outOfMoney = ({ limits: { costUsd }, usage }: SubAgentContext) => costUsd !== null && totalUsage(usage).costUsd >= costUsd;

/** Why an urgent correction has to wait nevertheless, in words for while it waits and for afterwards; undefined if it does not. */
function whatItWaitsFor(context: SubAgentContext): string | undefined {
  if (context.question) return `question ${context.question.id} comes first`;
  if (context.paused) return 'the task was paused';
  if (!interruptible(context)) return `${context.calls[0]?.tool} was left to finish: it may have effects`;
  return undefined;
}

function whyItAsks(context: SubAgentContext, kind: QuestionKind): string {
  const { lastFailure, limits, usage, calls } = context;
  if (kind === 'budget' && outOfMoney(context))
    return `It has spent $${totalUsage(usage).costUsd} of $${limits.costUsd}. Top it up with \`budget\`, or answer \`stop\`.`;
  if (kind === 'budget') return `Its ${limits.steps} steps are used up. Top it up with \`budget\`, or answer \`stop\`.`;
  if (context.repeats >= limits.repeats)
    return `It keeps requesting the same calls: ${calls.map((call) => call.tool).join(', ')}.`;
  return `It keeps failing: ${lastFailure?.message}`;
}

const isCommand = (event: SubAgentEvent): event is Command => 'id' in event;

const needsApproval = ({ calls: [call], allowed }: SubAgentContext): boolean =>
  call?.gated === true && !allowed.includes(call.tool);

/** The model asked for something else than what ran. */
const editedNote = (call: ToolCall | undefined): string =>
  call?.edited ? `\n(The operator has edited your call. It ran with: ${fitted(JSON.stringify(call.args), 2_000)})` : '';

/** A steer as the model reads it. */
const wordsFor = ({ kind, text }: Steer): Message => ({
  role: 'user',
  text: kind === 'redirect' ? `New instruction, in place of the earlier one: ${text}` : text,
});

/** A fork has as many steps of its own as every task. */
const limitsOf = ({ limits, earlier }: SubAgentInput): Limits => ({
  ...limits,
  steps: limits.steps + (earlier?.messages ? earlier.step : 0),
  costUsd: limits.costUsd === null ? null : limits.costUsd + (earlier?.toppedUpUsd ?? 0),
});

/**
 * A task that begins again is told its earlier findings first, then its instruction and corrections. A fork goes on with the
 * conversation that it was given.
 */
function opening({ instruction, earlier }: SubAgentInput): readonly Message[] {
  if (!earlier) return [{ role: 'user', text: instruction }];
  if (earlier.messages) return earlier.messages;
  const found = `This task was started before and could not be continued. Its findings so far:\n\n${earlier.found.join('\n\n')}`;
  return [
    ...(earlier.found.length > 0 ? [{ role: 'user' as const, text: found }] : []),
    ...[earlier.instruction, ...earlier.corrections].map((text) => ({ role: 'user' as const, text })),
  ];
}

const outcomeOf = ({ failed, denied }: { failed?: true; denied?: true }): EffectOutcome =>
  denied ? 'denied' : failed ? 'failed' : 'done';

const crashed = (what: string, cause: unknown): Failure => ({ code: `${what}-crashed`, message: String(cause), retryable: true });

export const subAgent = setup({
  types: {
    context: {} as SubAgentContext,
    events: {} as SubAgentEvent,
    input: {} as SubAgentInput,
    output: {} as SubAgentOutput,
  },
  actors: {
    think: notProvided<ThinkInput>(),
    act: notProvided<ActInput>(),
    preview: notProvided<PreviewInput>(),
    check: notProvided<CheckInput>(),
    deadline: notProvided<DeadlineInput>(),
  },
  guards: {
    isInterruptible: ({ context }) => interruptible(context),
    interruptsNow: ({ context, event }) => event.type === 'STEER' && event.urgency === 'now' && interruptible(context),
    swapsNow: ({ context, event }) => event.type === 'SWAP' && event.now === true && context.calls.length === 0,
    isInDoubt: ({ context: { calls, question } }) =>
      calls[0]?.started === true && calls[0].effects === 'writes' && question === null,
    isHeld: ({ context }) => context.paused || context.question !== null,
    /** An urgent correction makes the remaining calls pointless. A call that may have run already is completed first. */
    isOvertaken: ({ context: { calls, steers } }) =>
      calls[0] !== undefined && !mayHaveRun(calls[0]) && ledger.due(steers, false).some(({ urgency }) => urgency === 'now'),
    /**
     * The operator is asked at once about a failure that is not retryable, and may swap the backend, correct or stop the task.
     */
    isStuck: ({ context: { failures, repeats, limits, lastFailure } }) =>
      failures >= limits.failures || repeats >= limits.repeats || lastFailure?.retryable === false,
    isAsking: ({ context }) => context.calls[0]?.asks === true,
    isGated: ({ context }) => needsApproval(context),
    /** A tool that decides looks at each call, also where the operator has allowed it: it may refuse the call. */
    isUnseen: ({ context }) =>
      (needsApproval(context) || context.calls[0]?.mayPass === true) && context.calls[0]?.preview === undefined,
    hasCall: ({ context }) => context.calls.length > 0,
    isUnchecked: ({ context }) =>
      context.mustProduce && !context.checked && wouldEnd(context) && ledger.due(context.steers, true).length === 0,
    isFinished: ({ context }) => wouldEnd(context) && ledger.due(context.steers, true).length === 0,
    hasProduced: ({ event }) => event.type === 'CHECKED' && event.missing === null,
    /** It was told what is missing, and ends without it a second time. */
    wasTold: ({ context }) => context.missing !== null,
    isAffordable: ({ context, event }) =>
      event.type === 'CALL_PRICED' && event.worstUsd <= (leftUsd(context.limits.costUsd, context) ?? Number.POSITIVE_INFINITY),
    isUnmade: ({ event }) => event.type === 'CALL_PRICED' && event.first === true,
    isOutOfBudget: ({ context }) => context.step >= context.limits.steps || outOfMoney(context),
    leavesDoubt: ({ context }) => context.calls[0]?.effects === 'writes',
    returnsCall: ({ context, event }) => event.type === 'TOOL_RETURNED' && event.call === context.calls[0]?.id,
    isOfCall: ({ context, event }) =>
      (event.type === 'PREVIEWED' || event.type === 'CALL_OUTDATED') && event.call === context.calls[0]?.id,
    doubtsCall: ({ context: { calls }, event }) =>
      event.type === 'CALL_DOUBTED' && event.call === calls[0]?.id && calls[0].effects === 'writes',
    allowsCall: ({ context: { question, calls }, event }) =>
      event.type === 'ALLOW' && question?.kind === 'approval' && event.tool === calls[0]?.tool,
    answersDoubt: ({ context, event }) =>
      event.type === 'TOOL_RETURNED' && context.question?.kind === 'in-doubt' && event.call === context.calls[0]?.id,
    answersStop: ({ context: { question }, event }) =>
      event.type === 'ANSWER' &&
      event.question === question?.id &&
      question.kind !== 'asked' &&
      chosen(question, event.text) === 'stop',
    isUnclear: ({ context: { question }, event }) =>
      event.type === 'ANSWER' && event.question === question?.id && meaningOf(question, event.text).kind === 'unclear',
    answersAboutCall: ({ context: { question }, event }) =>
      event.type === 'ANSWER' && event.question === question?.id && ['asked', 'approval', 'in-doubt'].includes(question.kind),
    answersTryAgain: ({ context: { question }, event }) =>
      event.type === 'ANSWER' &&
      event.question === question?.id &&
      question.kind === 'stuck' &&
      chosen(question, event.text) === 'try again',
    answersWithHelp: ({ context: { question }, event }) =>
      event.type === 'ANSWER' && event.question === question?.id && question.kind === 'stuck',
    answersQuestion: ({ context, event }) => event.type === 'ANSWER' && event.question === context.question?.id,
    waitsForBudget: ({ context }) => context.question?.kind === 'budget',
    waitsForHelp: ({ context }) => context.question?.kind === 'stuck',
  },
  actions: {
    queue: assign(({ context, event }) => {
      assertEvent(event, ['STEER', 'REDIRECT', 'ANSWER']);
      const entry = entryOf(event);
      const why = entry.urgency === 'now' || entry.urgency === undefined ? whatItWaitsFor(context) : undefined;
      return { steers: ledger.enqueue(context.steers, entry, why) };
    }),
    acknowledge: assign(({ context, event }) =>
      isCommand(event) ? { steers: ledger.enter(context.steers, entryOf(event), context.step) } : {},
    ),
    /** The receipt says what the answer decided. */
    acknowledgeAnswer: assign(({ context: { steers, question, step }, event }) => {
      assertEvent(event, 'ANSWER');
      return { steers: ledger.enter(steers, entryOf(event), step, { reason: decisionOf(question, event.text, event.args) }) };
    }),
    refuse: assign(({ context, event }, reason: string) =>
      isCommand(event) ? { steers: ledger.refuse(context.steers, entryOf(event), reason) } : {},
    ),
    /** Findings stay. An in-doubt question stays too, because a new instruction does not tell whether the call ran. */
    redirect: assign(({ context, event }) => {
      assertEvent(event, 'REDIRECT');
      const doubt = context.question?.kind === 'in-doubt' ? context.question : null;
      return {
        ...{ instruction: event.text, question: doubt, failures: 0, repeats: 0, lastFailure: null },
        // The operator's new instruction says what is to be made, in place of the plan.
        ...{ mustProduce: false, missing: null },
      };
    }),
    pause: assign({ paused: true }),
    resume: assign({ paused: false }),
    swap: assign(({ event }) => {
      assertEvent(event, 'SWAP');
      return { backend: event.backend };
    }),
    /** Calls of this tool are not asked about any more. */
    allow: assign(({ context: { allowed }, event }) => {
      assertEvent(event, 'ALLOW');
      return { allowed: [...new Set([...allowed, event.tool])] };
    }),
    topUp: assign(({ context: { limits, toppedUpUsd }, event }) => {
      assertEvent(event, 'BUDGET');
      const steps = limits.steps + (event.steps ?? 0);
      if (limits.costUsd === null) return { limits: { ...limits, steps } };
      const more = event.costUsd ?? 0;
      return { limits: { ...limits, steps, costUsd: limits.costUsd + more }, toppedUpUsd: toppedUpUsd + more };
    }),
    reserve: assign(({ context, event }) => {
      assertEvent(event, 'CALL_PRICED');
      return reserve(context, event);
    }),
    bill: assign(({ context, event }) => {
      assertEvent(event, 'CALL_BILLED');
      return bill(context.usage, event);
    }),
    /** A reply carries its own bill, so only a call without a reply is in doubt. */
    countDoubt: assign(({ context, event }) =>
      event.type === 'MODEL_REPLIED' || context.reserved === null ? {} : settleInDoubt(context),
    ),
    /** The step was begun for a call that is not made. The steers that this call would have seen wait for the next call. */
    takeBackStep: assign(({ context: { step, steers, messages } }) => {
      const { ledger: requeued, count } = ledger.takeBack(steers, step);
      const before = messages.slice(0, messages.length - count);
      const last = before.at(-1);
      const isAnswer = last?.role === 'assistant' && !last.calls && !last.unfinished;
      return { step: step - 1, steers: requeued, messages: before, answer: isAnswer ? last.text : null };
    }),
    askToAfford: assign(({ context, event }) => {
      assertEvent(event, 'CALL_PRICED');
      const left = dollars(leftUsd(context.limits.costUsd, context) ?? 0);
      const why = `Its next call, on ${event.backend}, may cost ${dollars(event.worstUsd)}, and ${left} of $${context.limits.costUsd} is left. Top it up with \`budget\`, or answer \`stop\`.`;
      return {
        questions: context.questions + 1,
        question: questionAbout(`q${context.questions + 1}`, 'budget', undefined, why),
      };
    }),
    hear: assign(({ context, event }) => {
      assertEvent(event, 'MODEL_SAID');
      return { partial: context.partial + event.text };
    }),
    keepPartial: assign(({ context: { partial, messages } }) => ({
      partial: '',
      messages: [...messages, ...unfinished(partial)],
    })),
    recordReply: assign(({ context, event }) => {
      assertEvent(event, 'MODEL_REPLIED');
      const { text, calls, usage, backend, echo } = event;
      const toolsFail = context.lastFailure?.code === 'tool-failed';
      return {
        partial: '',
        calls,
        answer: calls.length > 0 ? null : text,
        messages: [...context.messages, reply(text, calls, echo)],
        repeats: repeatsItself(context.messages, calls) ? context.repeats + 1 : 0,
        usage: spend(context.usage, backend, usage),
        reserved: null,
        ...(!toolsFail && { failures: 0, lastFailure: null }),
      };
    }),
    recordPreview: assign(({ context: { calls } }, { preview, ask }: { preview: Preview | null; ask: boolean }) => ({
      calls: calls.map((call, i) => (i === 0 ? { ...call, preview, ...(call.mayPass && !ask && { gated: false }) } : call)),
    })),
    /** The operator who is asked whether the call ran is told how things are now. */
    recordSight: assign(({ context: { calls }, event }) => {
      assertEvent(event, ['CALL_DOUBTED', 'RESTORED']);
      const { seen } = event;
      return seen === undefined ? {} : { calls: calls.map((call, i) => (i === 0 ? { ...call, seen } : call)) };
    }),
    /** The approval was for what the operator saw. */
    askAgain: assign(({ context: { calls } }) => ({
      calls: calls.map(({ preview: _, ...call }, i) => (i === 0 ? { ...call, started: false, gated: true } : calls[i]!)),
    })),
    recordResult: assign(({ context: { calls, failures, messages, effects, sources, step }, event }) => {
      assertEvent(event, 'TOOL_RETURNED');
      const lastFailure = event.failed ? { code: 'tool-failed', message: event.text, retryable: true } : null;
      return {
        calls: calls.slice(1),
        messages: [...messages, ...answered(calls.slice(0, 1), `${event.text}${editedNote(calls[0])}`, event.images)],
        failures: lastFailure ? failures + 1 : 0,
        lastFailure,
        effects: [...effects, ...effectsOf(calls[0], step, outcomeOf(event), event.changes)],
        sources: [...new Set([...sources, ...(event.sources ?? [])])],
      };
    }),
    /** The tool's crash is its result: the model may know another way. */
    recordCrash: assign(({ context: { calls, failures, messages, effects, step } }, { message }: Failure) => ({
      calls: calls.slice(1),
      effects: [...effects, ...effectsOf(calls[0], step, 'failed')],
      messages: [...messages, ...answered(calls.slice(0, 1), `failed: ${message}`)],
      failures: failures + 1,
      lastFailure: { code: 'tool-failed', message, retryable: true },
    })),
    countFailure: assign(({ context }, lastFailure: Failure) => ({ failures: context.failures + 1, lastFailure })),
    dropCalls: assign(({ context: { calls, messages } }) => ({
      calls: [],
      messages: [...messages, ...givenUp(calls, 'the operator corrected the task')],
    })),
    beginCall: assign(({ context: { calls } }) => ({
      calls: calls.map((call, i) => (i === 0 ? { ...call, started: true } : call)),
    })),
    beginStep: assign(({ context }) => {
      const step = context.step + 1;
      const seen = ledger.due(context.steers, wouldEnd(context)).map(wordsFor);
      const steers = ledger.apply(context.steers, step, wouldEnd(context));
      return { step, steers, answer: null, checked: false, messages: [...context.messages, ...seen] };
    }),
    ask: assign(({ context }, kind: QuestionKind) => ({
      questions: context.questions + 1,
      question: questionAbout(`q${context.questions + 1}`, kind, context.calls[0], whyItAsks(context, kind)),
    })),
    applyAnswer: assign(({ context, event }) => {
      assertEvent(event, 'ANSWER');
      const { calls, said, outcome } = applyAnswer(context.question!, event.text, context.calls, event.args);
      const effects = outcome ? effectsOf(context.calls[0], context.step, outcome) : [];
      return { calls, messages: [...context.messages, ...said], effects: [...context.effects, ...effects] };
    }),
    acceptAnswer: assign({ checked: true }),
    /** The agent is told once what is missing; its next answer is checked again. */
    tellMissing: assign(({ context: { messages }, event }) => {
      assertEvent(event, 'CHECKED');
      const text = `You are not done: ${event.missing!.what}`;
      return { answer: null, missing: event.missing, messages: [...messages, { role: 'user', text } satisfies Message] };
    }),
    closeQuestion: assign({ question: null, failures: 0, repeats: 0, lastFailure: null }),
    /** Money and steps are no help with what fails: the rows of failures and of repeats go on. */
    closeBudgetQuestion: assign({ question: null }),
    /** (Z) Salvages the unfinished reply and the open calls: both stay in the conversation. */
    finish: assign(({ context }, outcome: Outcome) => ({
      outcome,
      question: null,
      messages: [...context.messages, ...unfinished(context.partial), ...givenUp(context.calls, 'the task ended')],
      effects: [...context.effects, ...doubtful(context.calls, context.step)],
      steers: ledger.giveBack(context.steers, `the task has ended: ${outcome.kind}`),
    })),
  },
}).createMachine({
  id: 'sub-agent',
  /** Limits the eventless steps after one event. The table in `deciding` takes four at most. */
  options: { maxIterations: 20 },
  context: ({ input }) => ({
    instruction: input.earlier?.instruction ?? input.instruction,
    backend: input.backend,
    limits: limitsOf(input),
    messages: opening(input),
    partial: '',
    calls: [],
    answer: null,
    steers: input.earlier?.steers ?? [],
    question: null,
    paused: false,
    step: input.earlier?.step ?? 0,
    failures: 0,
    repeats: 0,
    questions: input.earlier?.questions ?? 0,
    usage: input.earlier?.usage ?? {},
    reserved: null,
    toppedUpUsd: input.earlier?.toppedUpUsd ?? 0,
    lastFailure: null,
    effects: input.earlier?.effects ?? [],
    sources: [],
    allowed: input.allowed,
    mustProduce: input.mustProduce,
    checked: false,
    missing: null,
    outcome: null,
  }),
  output: ({ context: { outcome, answer, partial, messages, usage, step, calls, effects, sources } }) => ({
    outcome,
    answer,
    partial,
    messages,
    usage,
    step,
    effects,
    sources,
    inDoubt: calls.filter(mayHaveRun),
  }),
  initial: 'idle',
  on: {
    STEER: { actions: 'queue' },
    REDIRECT: { actions: ['queue', 'redirect'] },
    SWAP: { actions: ['swap', 'acknowledge'] },
    ALLOW: { actions: ['allow', 'acknowledge'] },
    BUDGET: { actions: ['topUp', 'acknowledge'] },
    PAUSE: { actions: ['pause', 'acknowledge'] },
    RESUME: { actions: ['resume', 'acknowledge'] },
    ANSWER: { actions: { type: 'refuse', params: 'that question is not open' } },
    CANCEL: { target: '.done', actions: ['acknowledge', { type: 'finish', params: { kind: 'cancelled' } }] },
    DEADLINE_PASSED: {
      target: '.done',
      actions: {
        type: 'finish',
        params: { kind: 'failed', code: 'deadline', message: 'its deadline has passed', retryable: false },
      },
    },
  },
  states: {
    idle: {
      description: 'Not claimed yet. Steers wait for the first step. Only a cancel or the deadline can end the task here.',
      on: { START: 'running' },
    },

    running: {
      description:
        'A model call or a tool call is in flight. A correction with urgency `now` interrupts it, unless the tool may have effects.',
      initial: 'deciding',
      invoke: {
        id: 'deadline',
        src: 'deadline',
        input: ({ context }) => ({ at: context.limits.deadlineAt }),
        onError: {
          target: 'done',
          actions: { type: 'finish', params: ({ event }) => ({ kind: 'failed', ...crashed('deadline', event.error) }) },
        },
      },
      on: {
        STEER: { guard: 'interruptsNow', target: '.deciding', actions: ['keepPartial', 'queue'] },
        REDIRECT: { guard: 'isInterruptible', target: '.deciding', actions: ['keepPartial', 'queue', 'redirect'] },
        SWAP: { guard: 'swapsNow', target: '.deciding', actions: ['keepPartial', 'swap', 'acknowledge'] },
        PAUSE: { guard: 'isInterruptible', target: '.deciding', actions: ['keepPartial', 'pause', 'acknowledge'] },
        RESTORED: { target: 'running', reenter: true, actions: ['keepPartial', 'recordSight'] },
      },
      states: {
        deciding: {
          description:
            'Transient. One table chooses the next state after every fact, every correction and every crash. An open question leads to `awaiting-steer`.',
          always: [
            { guard: 'isInDoubt', actions: { type: 'ask', params: 'in-doubt' } },
            { guard: 'isHeld', target: '#sub-agent.awaiting-steer' },
            { guard: 'isOvertaken', actions: 'dropCalls' },
            { guard: 'isStuck', actions: { type: 'ask', params: 'stuck' } },
            { guard: 'isAsking', actions: { type: 'ask', params: 'asked' } },
            { guard: 'isUnseen', target: 'previewing' },
            { guard: 'isGated', actions: { type: 'ask', params: 'approval' } },
            { guard: 'hasCall', target: 'acting', actions: 'beginCall' },
            { guard: 'isUnchecked', target: 'checking' },
            { guard: 'isFinished', target: '#sub-agent.done', actions: { type: 'finish', params: { kind: 'completed' } } },
            { guard: 'isOutOfBudget', actions: { type: 'ask', params: 'budget' } },
            { target: 'thinking', actions: 'beginStep' },
          ],
        },
        thinking: {
          description:
            'A model call is in flight. If its backend has a price, the worst case of the call is reserved before it is sent.',
          exit: 'countDoubt',
          invoke: {
            id: 'think',
            src: 'think',
            input: ({ context }) => {
              const { instruction, backend, messages, step } = context;
              const wanted = context.missing?.tool ?? null;
              return { instruction, backend, messages, step, leftUsd: leftUsd(context.limits.costUsd, context), wanted };
            },
            onError: {
              target: 'deciding',
              actions: ['keepPartial', { type: 'countFailure', params: ({ event }) => crashed('think', event.error) }],
            },
          },
          on: {
            CALL_PRICED: [
              { guard: 'isAffordable', actions: 'reserve' },
              { guard: 'isUnmade', target: 'deciding', actions: ['takeBackStep', 'askToAfford'] },
              { target: 'deciding', actions: ['keepPartial', 'askToAfford'] },
            ],
            CALL_BILLED: { actions: 'bill' },
            MODEL_SAID: { actions: 'hear' },
            MODEL_REPLIED: { target: 'deciding', actions: 'recordReply' },
            MODEL_FAILED: {
              target: 'deciding',
              actions: ['keepPartial', { type: 'countFailure', params: ({ event }) => event.error }],
            },
          },
        },
        acting: {
          description:
            'A tool call is in flight: the first of `calls`. One that only reads may ask another backend, such as about a picture.',
          exit: 'countDoubt',
          invoke: {
            id: 'act',
            src: 'act',
            input: ({ context: { calls, step, backend, ...context } }) => ({
              ...{ call: calls[0]!, step, backend },
              leftUsd: leftUsd(context.limits.costUsd, context),
            }),
            onError: [
              { guard: 'leavesDoubt', target: 'deciding' },
              { target: 'deciding', actions: { type: 'recordCrash', params: ({ event }) => crashed('act', event.error) } },
            ],
          },
          on: {
            CALL_PRICED: [
              { guard: 'isAffordable', actions: 'reserve' },
              { target: 'deciding', actions: 'askToAfford' },
            ],
            CALL_BILLED: { actions: 'bill' },
            TOOL_RETURNED: { guard: 'returnsCall', target: 'deciding', actions: 'recordResult' },
            CALL_OUTDATED: { guard: 'isOfCall', target: 'deciding', actions: 'askAgain' },
            CALL_DOUBTED: { guard: 'doubtsCall', target: 'deciding', actions: 'recordSight' },
          },
        },
        previewing: {
          tags: 'brief',
          description:
            'The first of `calls` needs the operator’s approval, or its tool decides about that. Its tool says what the call would do; a call that would be refused anyway is not asked about.',
          invoke: {
            id: 'preview',
            src: 'preview',
            input: ({ context: { calls, step } }) => ({ call: calls[0]!, step }),
            onError: { target: 'deciding', actions: { type: 'recordPreview', params: { preview: null, ask: true } } },
          },
          on: {
            PREVIEWED: {
              guard: 'isOfCall',
              target: 'deciding',
              actions: { type: 'recordPreview', params: ({ event: { preview, ask = true } }) => ({ preview, ask }) },
            },
            TOOL_RETURNED: { guard: 'returnsCall', target: 'deciding', actions: 'recordResult' },
          },
        },
        checking: {
          tags: 'brief',
          description:
            'The model has answered. Code looks whether what the task had to produce is there; another backend may judge the answer. The agent is told once what is missing.',
          exit: 'countDoubt',
          invoke: {
            id: 'check',
            src: 'check',
            input: ({ context: { answer, effects, step, ...context } }) => ({
              ...{ answer, effects, step },
              leftUsd: leftUsd(context.limits.costUsd, context),
            }),
            onError: {
              target: 'deciding',
              actions: { type: 'countFailure', params: ({ event }) => crashed('check', event.error) },
            },
          },
          on: {
            CALL_PRICED: [
              { guard: 'isAffordable', actions: 'reserve' },
              { target: 'deciding', actions: 'askToAfford' },
            ],
            CALL_BILLED: { actions: 'bill' },
            CHECK_FAILED: {
              target: 'deciding',
              actions: { type: 'countFailure', params: ({ event }) => event.error },
            },
            CHECKED: [
              { guard: 'hasProduced', target: 'deciding', actions: 'acceptAnswer' },
              {
                guard: 'wasTold',
                target: '#sub-agent.done',
                actions: {
                  type: 'finish',
                  params: ({ event }) => ({
                    kind: 'failed',
                    code: event.missing!.code,
                    message: event.missing!.what,
                    retryable: false,
                  }),
                },
              },
              { target: 'deciding', actions: 'tellMissing' },
            ],
          },
        },
      },
    },

    'awaiting-steer': {
      description: 'Only the operator can continue the task: it is paused, or `question` says what it needs. It may be parked.',
      invoke: {
        id: 'deadline',
        src: 'deadline',
        input: ({ context }) => ({ at: context.limits.deadlineAt }),
        onError: {
          target: 'done',
          actions: { type: 'finish', params: ({ event }) => ({ kind: 'failed', ...crashed('deadline', event.error) }) },
        },
      },
      on: {
        ANSWER: [
          {
            guard: 'answersStop',
            target: 'done',
            actions: [
              'acknowledge',
              {
                type: 'finish',
                params: ({ context: { question } }) => ({
                  kind: 'failed',
                  code: question!.kind,
                  message: `the operator stopped it. ${question!.text}`,
                  retryable: false,
                }),
              },
            ],
          },
          {
            guard: 'isUnclear',
            actions: { type: 'refuse', params: ({ context: { question }, event }) => whyUnclear(question, event.text) },
          },
          { guard: 'answersAboutCall', target: 'running', actions: ['acknowledgeAnswer', 'applyAnswer', 'closeQuestion'] },
          { guard: 'answersTryAgain', target: 'running', actions: ['closeQuestion', 'acknowledge'] },
          { guard: 'answersWithHelp', target: 'running', actions: ['closeQuestion', 'queue'] },
          { guard: 'answersQuestion', actions: { type: 'refuse', params: 'send `budget` to top it up, or answer `stop`' } },
        ],
        RESUME: { target: 'running', actions: ['resume', 'acknowledge'] },
        REDIRECT: { target: 'running', actions: ['redirect', 'queue'] },
        BUDGET: { guard: 'waitsForBudget', target: 'running', actions: ['topUp', 'closeBudgetQuestion', 'acknowledge'] },
        STEER: { guard: 'waitsForHelp', target: 'running', actions: ['closeQuestion', 'queue'] },
        SWAP: { guard: 'waitsForHelp', target: 'running', actions: ['swap', 'closeQuestion', 'acknowledge'] },
        ALLOW: { guard: 'allowsCall', target: 'running', actions: ['allow', 'closeQuestion', 'acknowledge'] },
        /** The call of a fenced worker returned after all. */
        TOOL_RETURNED: { guard: 'answersDoubt', target: 'running', actions: ['recordResult', 'closeQuestion'] },
        RESTORED: 'running',
      },
    },

    done: { type: 'final', description: 'Ended. The output has the outcome and all findings.' },
  },
});
