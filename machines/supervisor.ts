/**
 * A supervisor splits a goal into a plan of sub-tasks, supervises each of them, and reduces their results to one answer.
 * Sub-tasks are desired state: the host makes the bus match `relays` and the nodes that are `running` under a child number.
 * I. At most one question is open at a time. Neither the question nor a failed sub-task keeps the other sub-tasks from
 * continuing.
 * G. Every command enters the ledger exactly once, and no command is left queued at the end.
 * L. Spent money, the worst case of the request in flight, and the slices of children that have not returned together never
 * exceed the budget. If a call ends without a reply, for whatever reason, it counts as spent at its worst case.
 * X. Once `ending` is set nothing starts: running children are told to stop, and the supervisor waits for their returns.
 * Rules `cancel-tree` and `child-result` (docs/task-protocol.md): a return counts once, by the number of its child.
 */
import { assertEvent, assign, type EventObject, fromCallback, setup } from 'xstate';
import { chosen } from './answer.ts';
import { bill, countUnconfirmed, dollars, reserve, setAside, settleInDoubt, unspent } from './budget.ts';
import { recordReturns } from './child-returns.ts';
import type { Failure, Outcome } from './conversation.ts';
import { spend } from './conversation.ts';
import { isPlain, isUnresolved, takeUp } from './goal-corrections.ts';
import { end, wouldEnd } from './goal-end.ts';
import type { PlanNode } from './plan.ts';
import * as plan from './plan.ts';
import { changePlan, entryFor, isPlanCommand, objection, reopen, stop, takenOver } from './plan-changes.ts';
import * as ledger from './steering-ledger.ts';
import type { DeadlineInput } from './sub-agent.ts';
import type {
  DecomposeInput,
  DrainInput,
  PlanCommand,
  ReduceInput,
  Relay,
  SupervisorContext,
  SupervisorEvent,
  SupervisorInput,
  SupervisorOutput,
} from './supervisor-context.ts';
import type { Command } from './task-commands.ts';

export type * from './supervisor-context.ts';
export type { DeadlineInput };

/** Compared with the version of a checkpoint before it is restored. Raised when older checkpoints no longer mean the same. */
export const supervisorVersion = 3;

const notProvided = <Input>() =>
  fromCallback<EventObject, Input>(() => {
    throw new Error('effects are provided by actors/: use supervisor.provide({ actors })');
  });

const isCommand = (event: SupervisorEvent): event is Command | PlanCommand => 'id' in event;
const crashed = (what: string, cause: unknown): Failure => ({ code: `${what}-crashed`, message: String(cause), retryable: true });

export const supervisor = setup({
  types: {
    context: {} as SupervisorContext,
    events: {} as SupervisorEvent,
    input: {} as SupervisorInput,
    output: {} as SupervisorOutput,
  },
  actors: {
    decompose: notProvided<DecomposeInput>(),
    reduce: notProvided<ReduceInput>(),
    drain: notProvided<DrainInput>(),
    deadline: notProvided<DeadlineInput>(),
  },
  guards: {
    isDrained: ({ context }) => context.ending !== null && plan.running(context.nodes).length + context.stopping.length === 0,
    isEnding: ({ context }) => context.ending !== null,
    hasUnasked: ({ context }) => context.question === null && context.undecided.length > 0,
    swapsNow: ({ event }) => event.type === 'SWAP' && event.now === true,
    isPaused: ({ context }) => context.paused,
    /** The operator is asked at once about a failure that is not retryable. */
    isStuck: ({ context: { failures, lastFailure, policy, question } }) =>
      question === null && (failures >= policy.maxAttempts || lastFailure?.retryable === false),
    waitsForOperator: ({ context }) => context.question?.key === null,
    waitsForHelp: ({ context: { question } }) => question?.key === null && question.kind === 'stuck',
    isAffordable: ({ context, event }) =>
      event.type === 'CALL_PRICED' && event.worstUsd <= (unspent(context) ?? Number.POSITIVE_INFINITY),
    topsUp: ({ event }) => event.type === 'BUDGET' && event.costUsd !== undefined,
    answersWithMoney: ({ context: { question }, event }) =>
      event.type === 'BUDGET' && event.costUsd !== undefined && question?.kind === 'budget',
    isUnplanned: ({ context }) => context.reduce === null,
    hasDoomed: ({ context }) => plan.doomed(context.nodes, context.undecided).length > 0,
    hasReady: ({ context: { nodes, undecided, policy, waiting } }) =>
      plan.ready(nodes, undecided, policy.concurrency, waiting).length > 0,
    hasRunning: ({ context }) => plan.running(context.nodes).length > 0,
    hasQuestion: ({ context }) => context.question !== null,
    isFinished: ({ context }) => wouldEnd(context) && (isPlain(context.reduce) || ledger.due(context.steers, true).length === 0),
    interruptsNow: ({ context, event }) => event.type === 'STEER' && event.urgency === 'now' && !isPlain(context.reduce),
    /** Some sub-tasks are not resolved, so the correction can still reach them. */
    reachesPlan: ({ context, event }) =>
      event.type === 'STEER' && event.urgency !== 'after' && context.reduce !== null && isUnresolved(context),
    changesPlan: ({ context, event }) => isPlanCommand(event) && objection(context, event) === null,
    answersStop: ({ context: { question }, event }) =>
      event.type === 'ANSWER' && event.question === question?.id && chosen(question, event.text) === 'stop',
    answersAboutNode: ({ context: { question }, event }) =>
      event.type === 'ANSWER' && event.question === question?.id && question.key !== null,
    answersTryAgain: ({ context: { question }, event }) =>
      event.type === 'ANSWER' && event.question === question?.id && chosen(question, event.text) === 'try again',
    answersWithHelp: ({ context: { question }, event }) =>
      event.type === 'ANSWER' && event.question === question?.id && question.kind === 'stuck',
    answersQuestion: ({ context: { question }, event }) => event.type === 'ANSWER' && event.question === question?.id,
  },
  actions: {
    queue: assign(({ context, event }) => {
      assertEvent(event, ['STEER', 'REDIRECT', 'ANSWER']);
      return { steers: ledger.enqueue(context.steers, entryFor(event)) };
    }),
    acknowledge: assign(({ context, event }) =>
      isCommand(event) ? { steers: ledger.enter(context.steers, entryFor(event), context.step) } : {},
    ),
    refuse: assign(({ context, event }, reason: string) =>
      isCommand(event) ? { steers: ledger.refuse(context.steers, entryFor(event), reason) } : {},
    ),
    /** Running children get the correction as a message; sub-tasks that start later and the reduction get it as input. */
    relay: assign(({ context, event }) => {
      assertEvent(event, 'STEER');
      const { id, text, urgency } = event;
      const children = plan.childrenOf(plan.all(context.nodes));
      const steer: Relay = { id, kind: 'steer', text, urgency, children };
      return {
        corrections: [...context.corrections, text],
        relays: children.length > 0 ? [...context.relays, steer] : context.relays,
        steers: ledger.enter(context.steers, entryFor(event), context.step, { reached: children }),
      };
    }),
    redirect: assign(({ context, event }) => {
      assertEvent(event, 'REDIRECT');
      const nodes = plan.all(context.nodes);
      return {
        ...reopen(context, new Set(Object.keys(context.nodes))),
        ...stop(context, nodes, event.id),
        instruction: event.text,
        nodes: plan.put({}, ...nodes.filter(({ status }) => status === 'returned')),
        reduce: null,
        failures: 0,
        lastFailure: null,
      };
    }),
    /** Running children are paused or resumed with the goal: the receipt says which. */
    relayPause: assign(({ context, event }) => {
      assertEvent(event, ['PAUSE', 'RESUME']);
      const children = plan.childrenOf(plan.all(context.nodes));
      const kind = event.type === 'PAUSE' ? 'pause' : 'resume';
      const told: Relay = { id: event.id, kind, text: '', urgency: 'now', children };
      return {
        relays: children.length > 0 ? [...context.relays, told] : context.relays,
        steers: ledger.enter(context.steers, entryFor(event), context.step, { reached: children }),
      };
    }),
    /** Running children are told; sub-tasks that start later get it with their order. */
    allow: assign(({ context: { allowed, nodes, relays, steers, step }, event }) => {
      assertEvent(event, 'ALLOW');
      const children = plan.childrenOf(plan.all(nodes));
      const told: Relay = { id: event.id, kind: 'allow', text: event.tool, urgency: 'now', children };
      return {
        allowed: [...new Set([...allowed, event.tool])],
        relays: children.length > 0 ? [...relays, told] : relays,
        steers: ledger.enter(steers, entryFor(event), step, { reached: children }),
      };
    }),
    noteWaiting: assign(({ context: { waiting, nodes }, event }) => {
      assertEvent(event, 'CHILDREN_WAIT');
      const alive = new Set(plan.childrenOf(plan.all(nodes)));
      return { waiting: [...new Set([...waiting, ...event.children])].filter((child) => alive.has(child)) };
    }),
    pause: assign({ paused: true }),
    resume: assign({ paused: false }),
    swap: assign(({ event }) => {
      assertEvent(event, 'SWAP');
      return { backend: event.backend };
    }),
    topUp: assign(({ context: { toppedUpUsd }, event }) => {
      assertEvent(event, 'BUDGET');
      return { toppedUpUsd: toppedUpUsd + (event.costUsd ?? 0) };
    }),
    reserve: assign(({ context, event }) => {
      assertEvent(event, 'CALL_PRICED');
      return reserve(context, event);
    }),
    bill: assign(({ context, event }) => {
      assertEvent(event, 'CALL_BILLED');
      return bill(context.usage, event);
    }),
    /** A plan and an answer carry their own bills, so only a call without a reply is in doubt. */
    countDoubt: assign(({ context, event }) =>
      event.type === 'PLANNED' || event.type === 'REDUCED' || context.reserved === null ? {} : settleInDoubt(context),
    ),
    changePlan: assign(({ context, event }) => {
      assertEvent(event, ['ADD', 'DROP', 'RERUN']);
      return changePlan(context, event);
    }),
    beginPlanning: assign(({ context }) => ({ step: context.step + 1, ...takeUp(context, context.step + 1, false) })),
    /** Corrections that arrived while the plan was being made are given to every sub-task. */
    keepPlan: assign(({ context, event }) => {
      assertEvent(event, 'PLANNED');
      return {
        ...takeUp(context, context.step, false),
        nodes: plan.put(context.nodes, ...event.nodes.map(plan.planned)),
        reduce: event.reduce,
        failures: 0,
        lastFailure: null,
        usage: spend(context.usage, event.backend, event.usage),
        reserved: null,
      };
    }),
    countFailure: assign(({ context }, lastFailure: Failure) => ({ failures: context.failures + 1, lastFailure })),
    dispatch: assign(({ context }) => {
      const { nodes, undecided, policy, children, corrections } = context;
      const starting = plan.ready(nodes, undecided, policy.concurrency, context.waiting).map(
        (node, i): PlanNode => ({
          ...node,
          status: 'running',
          attempt: node.attempt + 1,
          child: children + i + 1,
          failure: null,
          corrections: corrections.length,
        }),
      );
      const later = plan.all(nodes).filter(({ status }) => status === 'waiting').length;
      return {
        children: children + starting.length,
        slices: setAside(
          context,
          starting.map(({ child }) => child),
          later,
        ),
        nodes: plan.put(nodes, ...starting),
      };
    }),
    failDoomed: assign(({ context: { nodes, undecided } }) => ({ nodes: plan.failDoomed(nodes, undecided) })),
    recordReturns: assign(({ context, event }) => {
      assertEvent(event, 'CHILDREN_RETURNED');
      return recordReturns(context, event.returns);
    }),
    askAboutFailure: assign(({ context: { questions, undecided, nodes } }) => {
      const key = undecided[0]!;
      const text = `Sub-task ${key} failed: ${nodes[key]?.failure?.message}`;
      const question = { id: `q${questions + 1}`, kind: 'stuck' as const, key, text, choices: ['retry', 'skip', 'stop'] };
      return { questions: questions + 1, question };
    }),
    askForHelp: assign(({ context: { questions, lastFailure, reduce } }) => {
      const text = `${reduce ? 'The results could not be put together' : 'No plan was made'}: ${lastFailure?.message}`;
      const question = { id: `q${questions + 1}`, kind: 'stuck' as const, key: null, text, choices: ['try again', 'stop'] };
      return { questions: questions + 1, question };
    }),
    askForBudget: assign(({ context, event }) => {
      assertEvent(event, 'CALL_PRICED');
      const what = context.reduce ? 'Putting the results together' : 'Making the plan';
      const left = `${dollars(unspent(context) ?? 0)} of $${(context.policy.budgetUsd ?? 0) + context.toppedUpUsd} is left`;
      const text = `${what} on ${event.backend} may cost ${dollars(event.worstUsd)}, and ${left}. Top it up with \`budget\`, or answer \`stop\`.`;
      const id = `q${context.questions + 1}`;
      return {
        questions: context.questions + 1,
        question: { id, kind: 'budget' as const, key: null, text, choices: ['stop'] },
      };
    }),
    /** The answer is `retry`, `skip`, or a text that is added to the instruction for a retry. */
    decide: assign(({ context, event }) => {
      assertEvent(event, 'ANSWER');
      const { nodes, question, undecided } = context;
      const node = nodes[question!.key!]!;
      const choice = chosen(question, event.text);
      const instruction = choice ? node.instruction : `${node.instruction}\n\n${event.text}`;
      return {
        question: null,
        undecided: undecided.filter((key) => key !== node.key),
        nodes: choice === 'skip' ? nodes : plan.put(nodes, { ...node, instruction, status: 'waiting' }),
      };
    }),
    closeQuestion: assign({ question: null, failures: 0, lastFailure: null }),
    /** Money is no help with what fails: the row of failures goes on, so that its end does not depend on who pays. */
    closeBudgetQuestion: assign({ question: null }),
    beginReducing: assign(({ context }) => {
      const step = context.step + 1;
      const taken = isPlain(context.reduce) ? {} : takeUp(context, step, wouldEnd(context));
      return { step, ...taken, answer: null, draft: context.answer ?? context.draft };
    }),
    keepAnswer: assign(({ context, event }) => {
      assertEvent(event, 'REDUCED');
      const { answer, backend, usage } = event;
      return { answer, failures: 0, lastFailure: null, usage: spend(context.usage, backend, usage), reserved: null };
    }),
    end: assign(({ context }, ending: Outcome) => end(context, ending)),
    conclude: assign(({ context }) =>
      end(context, { kind: 'completed' }, `the results were joined by \`${context.reduce?.by}\`, which takes no corrections`),
    ),
    giveUp: assign(({ context }) => ({
      ...countUnconfirmed(context),
      stopping: [],
      nodes: plan.put(
        context.nodes,
        ...plan.running(context.nodes).map((node): PlanNode => {
          const message = `${node.key} did not confirm in time that it had stopped; it may still be running`;
          return { ...node, status: 'failed', failure: { code: 'unconfirmed', message, retryable: false } };
        }),
      ),
    })),
    finish: assign(({ context }) => ({ outcome: context.ending })),
  },
}).createMachine({
  id: 'supervisor',
  /** Limits the eventless steps after one event. The table in `deciding` takes six at most. */
  options: { maxIterations: 20 },
  context: ({ input }) => ({
    instruction: input.instruction,
    backend: input.backend,
    policy: input.policy,
    nodes: {},
    reduce: null,
    children: 0,
    stopping: [],
    waiting: [],
    relays: [],
    corrections: [],
    steers: [],
    question: null,
    undecided: [],
    paused: false,
    allowed: input.allowed,
    step: 0,
    failures: 0,
    lastFailure: null,
    questions: 0,
    ending: null,
    answer: null,
    draft: null,
    usage: {},
    reserved: null,
    slices: {},
    toppedUpUsd: 0,
    outcome: null,
    ...(input.earlier && takenOver(input.earlier)),
  }),
  output: ({ context: { outcome, answer, draft, usage, step } }) => ({ outcome, answer, draft, usage, step }),
  initial: 'idle',
  on: {
    STEER: { actions: 'queue' },
    REDIRECT: { target: '.deciding', actions: ['redirect', 'queue'] },
    ANSWER: [
      {
        guard: 'answersStop',
        target: '.deciding',
        actions: [
          'acknowledge',
          {
            type: 'end',
            params: ({ context: { question } }) => {
              const message = `the operator stopped it. ${question!.text}`;
              const code = question!.key === null ? question!.kind : 'sub-task-failed';
              return { kind: 'failed', code, message, retryable: false };
            },
          },
        ],
      },
      { guard: 'answersAboutNode', target: '.deciding', actions: ['decide', 'acknowledge'] },
      { guard: 'answersTryAgain', target: '.deciding', actions: ['closeQuestion', 'acknowledge'] },
      { guard: 'answersWithHelp', target: '.deciding', actions: ['closeQuestion', 'queue'] },
      { guard: 'answersQuestion', actions: { type: 'refuse', params: 'send `budget` to top it up, or answer `stop`' } },
      { actions: { type: 'refuse', params: 'that question is not open' } },
    ],
    SWAP: { actions: ['swap', 'acknowledge'] },
    ALLOW: { actions: 'allow' },
    BUDGET: [
      { guard: 'topsUp', actions: ['topUp', 'acknowledge'] },
      {
        actions: { type: 'refuse', params: 'a goal has no step limit: top up its US dollars, or top up the sub-task that asks' },
      },
    ],
    PAUSE: { target: '.deciding', actions: ['pause', 'relayPause'] },
    RESUME: { actions: ['resume', 'relayPause'] },
    CANCEL: { target: '.deciding', actions: ['acknowledge', { type: 'end', params: { kind: 'cancelled' } }] },
    ADD: [
      { guard: 'changesPlan', target: '.deciding', actions: ['changePlan', 'acknowledge'] },
      { actions: { type: 'refuse', params: ({ context, event }) => objection(context, event) ?? '' } },
    ],
    DROP: [
      { guard: 'changesPlan', target: '.deciding', actions: ['changePlan', 'acknowledge'] },
      { actions: { type: 'refuse', params: ({ context, event }) => objection(context, event) ?? '' } },
    ],
    RERUN: [
      { guard: 'changesPlan', target: '.deciding', actions: ['changePlan', 'acknowledge'] },
      { actions: { type: 'refuse', params: ({ context, event }) => objection(context, event) ?? '' } },
    ],
    /** Where no node runs, only children that were told to stop can return. They do not interrupt the call in flight. */
    CHILDREN_RETURNED: { actions: 'recordReturns' },
    CHILDREN_WAIT: { actions: 'noteWaiting' },
    DEADLINE_PASSED: {
      target: '.deciding',
      actions: {
        type: 'end',
        params: { kind: 'failed', code: 'deadline', message: 'its deadline has passed', retryable: false },
      },
    },
  },
  states: {
    idle: {
      description: 'Not claimed yet. Steers wait for the first step. Only a cancel or the deadline can end the goal here.',
      on: {
        START: 'deciding',
        REDIRECT: { actions: ['redirect', 'queue'] },
        PAUSE: { actions: ['pause', 'relayPause'] },
      },
    },

    deciding: {
      description: 'Transient. One table chooses the next state after every fact, every correction and every crash.',
      always: [
        { guard: 'isDrained', target: 'done', actions: 'finish' },
        { guard: 'isEnding', target: 'gathering.stopping' },
        { guard: 'hasUnasked', actions: 'askAboutFailure' },
        { guard: 'isPaused', target: 'awaiting-steer' },
        { guard: 'isStuck', actions: 'askForHelp' },
        { guard: 'waitsForOperator', target: 'awaiting-steer' },
        { guard: 'isUnplanned', target: 'decomposing', actions: 'beginPlanning' },
        { guard: 'hasDoomed', actions: 'failDoomed' },
        { guard: 'hasReady', actions: 'dispatch' },
        { guard: 'hasRunning', target: 'gathering.collecting' },
        { guard: 'hasQuestion', target: 'awaiting-steer' },
        { guard: 'isFinished', actions: 'conclude' },
        { target: 'reducing', actions: 'beginReducing' },
      ],
    },

    decomposing: {
      description:
        'The orchestrator makes a plan. A correction with urgency `now` restarts the planning; others go to the sub-tasks. If the backend has a price, the worst case of the call is reserved before it is sent.',
      exit: 'countDoubt',
      invoke: [
        {
          id: 'decompose',
          src: 'decompose',
          input: ({ context: { instruction, backend, corrections, nodes, step } }) => ({
            instruction,
            backend,
            corrections,
            nodes,
            step,
          }),
          onError: {
            target: 'deciding',
            actions: { type: 'countFailure', params: ({ event }) => crashed('decompose', event.error) },
          },
        },
        {
          id: 'deadline',
          src: 'deadline',
          input: ({ context }) => ({ at: context.policy.deadlineAt }),
          onError: {
            target: 'deciding',
            actions: { type: 'end', params: ({ event }) => ({ kind: 'failed', ...crashed('deadline', event.error) }) },
          },
        },
      ],
      on: {
        CALL_PRICED: [
          { guard: 'isAffordable', actions: 'reserve' },
          { target: 'deciding', actions: 'askForBudget' },
        ],
        CALL_BILLED: { actions: 'bill' },
        PLANNED: { target: 'deciding', actions: 'keepPlan' },
        PLAN_FAILED: { target: 'deciding', actions: { type: 'countFailure', params: ({ event }) => event.error } },
        STEER: { guard: 'interruptsNow', target: 'deciding', actions: 'queue' },
        SWAP: { guard: 'swapsNow', target: 'deciding', actions: ['swap', 'acknowledge'] },
        RESTORED: 'deciding',
      },
    },

    gathering: {
      initial: 'collecting',
      on: { RESTORED: 'deciding' },
      states: {
        collecting: {
          description: 'Sub-tasks are running. A correction is relayed to them and given to the sub-tasks that start later.',
          invoke: {
            id: 'deadline',
            src: 'deadline',
            input: ({ context }) => ({ at: context.policy.deadlineAt }),
            onError: {
              target: '#supervisor.deciding',
              actions: { type: 'end', params: ({ event }) => ({ kind: 'failed', ...crashed('deadline', event.error) }) },
            },
          },
          on: {
            CHILDREN_RETURNED: { target: '#supervisor.deciding', actions: 'recordReturns' },
            CHILDREN_WAIT: { target: '#supervisor.deciding', actions: 'noteWaiting' },
            STEER: { guard: 'reachesPlan', actions: 'relay' },
          },
        },
        stopping: {
          description:
            'The outcome is decided. The goal waits until the children that were told to stop have returned or their time is up.',
          invoke: {
            id: 'drain',
            src: 'drain',
            input: ({ context }) => ({ children: [...context.stopping, ...plan.childrenOf(plan.all(context.nodes))] }),
            onError: { actions: 'giveUp' },
          },
          /**
           * A return does not lead through `deciding`: entering this state again would restart the time of the other children.
           */
          always: { guard: 'isDrained', target: '#supervisor.deciding' },
          on: {
            DRAIN_EXPIRED: { actions: 'giveUp' },
            STEER: { actions: { type: 'refuse', params: 'the task is ending' } },
            REDIRECT: { actions: { type: 'refuse', params: 'the task is ending' } },
            SWAP: { actions: { type: 'refuse', params: 'the task is ending' } },
            ALLOW: { actions: { type: 'refuse', params: 'the task is ending' } },
            BUDGET: { actions: { type: 'refuse', params: 'the task is ending' } },
            PAUSE: { actions: { type: 'refuse', params: 'the task is ending' } },
            RESUME: { actions: { type: 'refuse', params: 'the task is ending' } },
            CANCEL: { actions: { type: 'refuse', params: 'the task is ending' } },
            ADD: { actions: { type: 'refuse', params: 'the task is ending' } },
            DROP: { actions: { type: 'refuse', params: 'the task is ending' } },
            RERUN: { actions: { type: 'refuse', params: 'the task is ending' } },
          },
        },
      },
    },

    'awaiting-steer': {
      description:
        'Only the operator can make the goal continue: it is paused, or `question` says what it needs. While a question is open, running children continue; a pause is relayed to them.',
      invoke: {
        id: 'deadline',
        src: 'deadline',
        input: ({ context }) => ({ at: context.policy.deadlineAt }),
        onError: {
          target: 'deciding',
          actions: { type: 'end', params: ({ event }) => ({ kind: 'failed', ...crashed('deadline', event.error) }) },
        },
      },
      on: {
        RESUME: { target: 'deciding', actions: ['resume', 'relayPause'] },
        BUDGET: { guard: 'answersWithMoney', target: 'deciding', actions: ['topUp', 'closeBudgetQuestion', 'acknowledge'] },
        STEER: [
          { guard: 'waitsForHelp', target: 'deciding', actions: ['closeQuestion', 'queue'] },
          { guard: 'reachesPlan', actions: 'relay' },
        ],
        SWAP: { guard: 'waitsForHelp', target: 'deciding', actions: ['swap', 'closeQuestion', 'acknowledge'] },
        CHILDREN_RETURNED: { target: 'deciding', actions: 'recordReturns' },
        RESTORED: 'deciding',
      },
    },

    reducing: {
      description:
        'All sub-tasks are resolved and their results are reduced to one answer. A correction with urgency `now` restarts the reduction. If the backend has a price, the worst case of the call is reserved before it is sent.',
      exit: 'countDoubt',
      invoke: [
        {
          id: 'reduce',
          src: 'reduce',
          input: ({ context: { instruction, backend, corrections, nodes, reduce, draft, step } }) => ({
            instruction,
            backend,
            corrections,
            nodes,
            reduce,
            draft,
            step,
          }),
          onError: {
            target: 'deciding',
            actions: { type: 'countFailure', params: ({ event }) => crashed('reduce', event.error) },
          },
        },
        {
          id: 'deadline',
          src: 'deadline',
          input: ({ context }) => ({ at: context.policy.deadlineAt }),
          onError: {
            target: 'deciding',
            actions: { type: 'end', params: ({ event }) => ({ kind: 'failed', ...crashed('deadline', event.error) }) },
          },
        },
      ],
      on: {
        CALL_PRICED: [
          { guard: 'isAffordable', actions: 'reserve' },
          { target: 'deciding', actions: 'askForBudget' },
        ],
        CALL_BILLED: { actions: 'bill' },
        REDUCED: { target: 'deciding', actions: 'keepAnswer' },
        REDUCE_FAILED: { target: 'deciding', actions: { type: 'countFailure', params: ({ event }) => event.error } },
        STEER: { guard: 'interruptsNow', target: 'deciding', actions: 'queue' },
        SWAP: { guard: 'swapsNow', target: 'deciding', actions: ['swap', 'acknowledge'] },
        RESTORED: 'deciding',
      },
    },

    done: { type: 'final', description: 'Ended, with an output. `nodes` has the end of each sub-task.' },
  },
});
