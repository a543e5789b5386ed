/** Errors in the code of the supervisor’s guards and actions. */
import { settleInDoubt, unspent } from '../../../machines/budget.ts';
import { supervisor } from '../../../machines/supervisor.ts';
import type { SupervisorContext } from '../../../machines/supervisor-context.ts';
import type { Mutant } from '../mutants.ts';
import { seeding } from '../seeding.ts';

const { guards, action, without, with: withMore, original } = seeding<SupervisorContext>(supervisor);
const nodes = (context: SupervisorContext) => Object.values(context.nodes);
const queued = ({ steers }: SupervisorContext) => steers.filter(({ fate }) => fate === 'queued');

export const seeded: Mutant[] = [
  guards('it ends without those that run', {
    isDrained: ({ context }) => context.ending !== null && context.stopping.length === 0,
  }),
  guards('it ends without those it told to stop', {
    isDrained: ({ context }) => context.ending !== null && !nodes(context).some(({ status }) => status === 'running'),
  }),
  guards('one try more', {
    isStuck: ({ context: { failures, lastFailure, policy, question } }) =>
      question === null && (failures > policy.maxAttempts || lastFailure?.retryable === false),
  }),
  guards('what no retry mends is retried', {
    isStuck: ({ context: { failures, policy, question } }) => question === null && failures >= policy.maxAttempts,
  }),
  guards('any question waits for help', { waitsForHelp: ({ context }) => context.question !== null }),
  guards('nothing is doomed', { hasDoomed: () => false }),
  guards('nobody is asked', { hasUnasked: () => false }),
  guards('it waits for the operator while children run', {
    hasRunning: ({ context }) => context.question === null && nodes(context).some(({ status }) => status === 'running'),
  }),
  guards('it ends whatever is queued', { isFinished: ({ context }) => context.answer !== null }),
  guards('it ends with after queued', {
    isFinished: ({ context }) => context.answer !== null && !queued(context).some(({ urgency }) => urgency !== 'after'),
  }),
  guards('what joins results is asked about corrections', {
    isFinished: ({ context }) => context.answer !== null && queued(context).length === 0,
  }),
  guards('next-step interrupts', { interruptsNow: ({ event }) => event.urgency !== 'after' }),
  guards('now does not interrupt', { interruptsNow: () => false }),
  guards('what joins results is interrupted', { interruptsNow: ({ event }) => event.urgency === 'now' }),
  guards('after is relayed at once', { reachesPlan: ({ context }) => context.reduce !== null }),
  guards('next-step is not relayed', { reachesPlan: ({ context, event }) => event.urgency === 'now' && context.reduce !== null }),
  guards('a correction reaches no plan', { reachesPlan: () => false }),
  guards('a plan that is not there is changed', {
    changesPlan: ({ context, event }) => event.key === undefined || event.key in context.nodes,
  }),
  guards('any stop stops', { answersStop: ({ event }) => event.text === 'stop' }),
  guards('any answer is about the sub-task', {
    answersAboutNode: ({ context: { question } }) => typeof question?.key === 'string',
  }),
  guards('every answer is words', { answersTryAgain: () => false }),
  action('steers are queued newest first', 'queue', ({ steers }, { id, text, urgency = 'now', type }) => ({
    steers: [{ id, text, urgency, kind: type.toLowerCase(), fate: 'queued' }, ...steers],
  })),
  without('children are not told', 'relay', 'relays'),
  without('children are not paused', 'relayPause', 'relays'),
  without('a pause has no receipt', 'relayPause', 'steers'),
  without('the unstarted are not told', 'relay', 'corrections'),
  without('a relay has no receipt', 'relay', 'steers'),
  withMore('relays reach those that returned', 'relay', (context, { id, text, urgency }) => {
    const children = nodes(context).flatMap(({ child }) => child ?? []);
    return { relays: [...context.relays, { id, kind: 'steer', text, urgency, children }] };
  }),
  without('a redirect keeps the old instruction', 'redirect', 'instruction'),
  without('a redirect keeps the plan', 'redirect', 'nodes'),
  withMore('a redirect throws findings away', 'redirect', () => ({ nodes: {} })),
  without('a redirect plans nothing anew', 'redirect', 'reduce'),
  without('a redirect tells no child', 'redirect', 'relays'),
  without('a redirect forgets its children', 'redirect', 'stopping'),
  without('a redirect leaves the question', 'redirect', 'question'),
  without('a redirect keeps the failures', 'redirect', 'failures'),
  without('a redirect keeps the last failure', 'redirect', 'lastFailure'),
  without('a redirect keeps what is undecided', 'redirect', 'undecided'),
  without('a changed plan leaves the question', 'changePlan', 'question'),
  without('a changed plan keeps what is undecided', 'changePlan', 'undecided'),
  without('a changed plan tells no child', 'changePlan', 'relays'),
  without('a changed plan forgets its children', 'changePlan', 'stopping'),
  without('a plan is not changed', 'changePlan', 'nodes'),
  action('what depends on it is not redone', 'changePlan', (context, event, params) => {
    const changed = original('changePlan')(context, event, params) as Partial<SupervisorContext>;
    if (event.type !== 'RERUN') return changed;
    return { ...changed, nodes: { ...context.nodes, [event.key]: changed.nodes![event.key]! } };
  }),
  without('corrections don’t reach the plan', 'beginPlanning', 'corrections'),
  without('corrections to the plan stay queued', 'beginPlanning', 'steers'),
  without('plans are not counted', 'beginPlanning', 'step'),
  without('corrections meanwhile don’t reach the sub-tasks', 'keepPlan', 'corrections'),
  without('corrections meanwhile stay queued', 'keepPlan', 'steers'),
  withMore('a new plan throws findings away', 'keepPlan', (context, event, params) => {
    const { nodes: all } = original('keepPlan')(context, event, params) as SupervisorContext;
    return { nodes: Object.fromEntries(Object.entries(all).filter(([key]) => !(key in context.nodes))) };
  }),
  without('planning costs nothing', 'keepPlan', 'usage'),
  without('a plan keeps the failures', 'keepPlan', 'failures'),
  without('failures are not counted', 'countFailure', 'failures'),
  without('why it failed is forgotten', 'countFailure', 'lastFailure'),
  without('children share a number', 'dispatch', 'children'),
  action('there is no limit to running children', 'dispatch', (context, event, params) =>
    original('dispatch')({ ...context, policy: { ...context.policy, concurrency: 99 } }, event, params),
  ),
  withMore('attempts are not counted', 'dispatch', (context, event, params) => {
    const { nodes: all } = original('dispatch')(context, event, params) as SupervisorContext;
    return { nodes: Object.fromEntries(Object.entries(all).map(([key, node]) => [key, { ...node, attempt: 1 }])) };
  }),
  withMore('what a child was told is not noted', 'dispatch', (context, event, params) => {
    const { nodes: all } = original('dispatch')(context, event, params) as SupervisorContext;
    return { nodes: Object.fromEntries(Object.entries(all).map(([key, node]) => [key, { ...node, corrections: 0 }])) };
  }),
  without('returns cost nothing', 'recordReturns', 'usage'),
  without('returns are not noticed', 'recordReturns', 'nodes'),
  without('failures are not asked about', 'recordReturns', 'undecided'),
  without('stragglers are waited for in vain', 'recordReturns', 'stopping'),
  without('nothing escalates', 'recordReturns', 'ending'),
  without('an escalation tells no child', 'recordReturns', 'relays'),
  action('only the first of a batch counts', 'recordReturns', (context, event, params) =>
    original('recordReturns')(context, { ...event, returns: event.returns.slice(0, 1) }, params),
  ),
  action('there is no end to attempts', 'recordReturns', (context, event, params) =>
    original('recordReturns')({ ...context, policy: { ...context.policy, maxAttempts: 99 } }, event, params),
  ),
  without('questions share an id', 'askAboutFailure', 'questions'),
  without('calls for help share an id', 'askForHelp', 'questions'),
  without('an answered question stays open', 'decide', 'question'),
  without('what is decided stays undecided', 'decide', 'undecided'),
  without('retry retries nothing', 'decide', 'nodes'),
  action('skip retries', 'decide', (context, event, params) => original('decide')(context, { ...event, text: 'retry' }, params)),
  without('a closed question keeps the failures', 'closeQuestion', 'failures'),
  without('a closed question keeps the last failure', 'closeQuestion', 'lastFailure'),
  without('children are not told what is allowed', 'allow', 'relays'),
  without('children that start later are not told what is allowed', 'allow', 'allowed'),
  without('who waits keeps its place', 'noteWaiting', 'waiting'),
  action('who waited before gets its place back', 'noteWaiting', (_, { children }) => ({ waiting: children })),
  withMore('money forgives the failures', 'closeBudgetQuestion', () => ({ failures: 0, lastFailure: null })),
  without('reductions are not counted', 'beginReducing', 'step'),
  without('a reduction keeps the old answer', 'beginReducing', 'answer'),
  without('a reduction forgets the draft', 'beginReducing', 'draft'),
  without('corrections don’t reach the reduction', 'beginReducing', 'corrections'),
  without('corrections to the reduction stay queued', 'beginReducing', 'steers'),
  without('an answer costs nothing', 'keepAnswer', 'usage'),
  without('an answer is lost', 'keepAnswer', 'answer'),
  without('an answer keeps the failures', 'keepAnswer', 'failures'),
  without('the end tells no child', 'end', 'relays'),
  without('the end loses queued steers', 'end', 'steers'),
  without('the end leaves the question', 'end', 'question'),
  without('done loses queued steers', 'conclude', 'steers'),
  without('who does not confirm runs on', 'giveUp', 'nodes'),
  without('stragglers are never given up', 'giveUp', 'stopping'),
  guards('whatever it costs is paid', { isAffordable: () => true }),
  guards('what would take the last of it is too dear', {
    isAffordable: ({ context, event }) => event.worstUsd < (unspent(context) ?? Infinity),
  }),
  guards('what children may spend is not looked at', {
    isAffordable: ({ context, event }) => event.worstUsd <= (unspent({ ...context, slices: {} }) ?? Infinity),
  }),
  guards('what is out is not looked at', {
    isAffordable: ({ context, event }) => event.worstUsd <= (unspent({ ...context, reserved: null }) ?? Infinity),
  }),
  guards('steps top a goal up', { topsUp: () => true }),
  guards('steps are money', { answersWithMoney: ({ context: { question } }) => question?.kind === 'budget' }),
  guards('money answers whatever is asked', {
    answersWithMoney: ({ context: { question }, event }) => event.costUsd !== undefined && question !== null,
  }),
  guards('a correction helps who wants money', { waitsForHelp: ({ context: { question } }) => question?.key === null }),
  guards('words help who wants money', {
    answersWithHelp: ({ context: { question }, event }) => event.question === question?.id && question?.key === null,
  }),
  without('nothing is set aside for a call', 'reserve', 'reserved'),
  without('what was out before is forgotten', 'reserve', 'usage'),
  without('a bill is not spent', 'bill', 'usage'),
  without('a bill leaves the worst case out', 'bill', 'reserved'),
  without('a plan leaves its worst case out', 'keepPlan', 'reserved'),
  without('an answer leaves its worst case out', 'keepAnswer', 'reserved'),
  without('what is in doubt costs nothing', 'countDoubt', 'usage'),
  without('what is in doubt stays out', 'countDoubt', 'reserved'),
  action('what a reply bills counts twice', 'countDoubt', (context) => settleInDoubt(context)),
  without('a top-up adds nothing', 'topUp', 'toppedUpUsd'),
  without('who can’t afford it asks under an old id', 'askForBudget', 'questions'),
  without('nothing is set aside for children', 'dispatch', 'slices'),
  action('every child is given all that is left', 'dispatch', (context, event, params) => {
    const changed = original('dispatch')(context, event, params) as SupervisorContext;
    const left = unspent(context) ?? 0;
    const started = Object.keys(changed.slices).filter((child) => !(child in context.slices));
    return { ...changed, slices: { ...changed.slices, ...Object.fromEntries(started.map((child) => [child, left])) } };
  }),
  without('a slice is not given back', 'recordReturns', 'slices'),
  without('what is added below is not told', 'recordReturns', 'toppedUpUsd'),
  without('who does not confirm has spent nothing', 'giveUp', 'usage'),
  without('who does not confirm keeps its slice', 'giveUp', 'slices'),
  without('the outcome is lost', 'finish', 'outcome'),
];
