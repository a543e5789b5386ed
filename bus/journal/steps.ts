/**
 * The steps of a task, from its statuses and its checkpoint. A status is written by each commit, and the statuses of a worker that
 * has lost the task are refused, so each step is there once, whatever crashed. The conversation of a task only grows, so the number
 * of its messages at the begin of a step tells what the model was told.
 */
import { fitted } from '../../platform/cut.ts';
import { noUsage, type Status, type TaskState, type Usage } from '../messages.ts';
import type { StateRecord } from '../state/state-record.ts';
import type { JournalStep, Why } from './journal-messages.ts';
import { type KeptMessage, type KeptSteer, keptOf } from './kept-conversation.ts';

/** A step without its prompt. */
export interface Step extends Omit<JournalStep, 'prompt' | 'instruction'> {
  /** Number of messages of the conversation that its prompt has; null: not known, or of a conversation that was begun again. */
  readonly told: number | null;
  /** Digest of the request that was sent last. */
  readonly digest: string | null;
  /** The instruction that was in force. */
  readonly instruction: string;
}

const maxWhyChars = 2_000;
const maxReplyChars = 65_536;
const working: ReadonlySet<TaskState> = new Set(['thinking', 'decomposing', 'reducing']);

/** @param statuses of the task, in any order, each commit at least once. */
export function stepsOf(record: StateRecord, statuses: readonly Status[]): Step[] {
  const byCommit = new Map(statuses.map((status) => [status.commit, status]));
  for (const status of [...record.outbox, ...(record.last ? [record.last] : [])]) byCommit.set(status.commit, status);
  const inOrder = [...byCommit.values()].filter(({ commit }) => commit <= record.commit).sort((a, b) => a.commit - b.commit);
  const kept = keptOf(record);
  const groups = groupsOf(inOrder);
  const told = toldOf(groups, kept.messages);
  return groups.map((group, i) => stepOf({ record, kept, groups, told }, group, i));
}

/** All statuses of one step. */
type Group = readonly [Status, ...Status[]];

/** A step that was taken back, because its call was not made, is left out: the step of that number comes later. */
function groupsOf(inOrder: readonly Status[]): Group[] {
  const groups = new Map<number, [Status, ...Status[]]>();
  for (const status of inOrder) {
    if (status.step === 0) continue;
    for (const step of groups.keys()) if (step > status.step) groups.delete(step);
    const group = groups.get(status.step);
    if (group) group.push(status);
    else groups.set(status.step, [status]);
  }
  return [...groups.values()];
}

/** For each group the number of messages at the begin of its step. */
function toldOf(groups: readonly Group[], messages: readonly KeptMessage[]): (number | null)[] {
  const counts = groups.map(
    (group) => group.findLast(({ state, prompt }) => state === 'thinking' && prompt)?.prompt?.messages ?? null,
  );
  // Fewer messages than before: the task has begun again, and what was said before is gone.
  const anew = counts.findLastIndex((count, i) => count !== null && counts.slice(0, i).some((before) => (before ?? 0) > count));
  return groups.map((group, i) => {
    if (i < anew) return null;
    const count = counts[i] ?? placeOfReply(group[0].step, messages, i === groups.length - 1);
    return count === null || count > messages.length ? null : count;
  });
}

/** Statuses of earlier versions do not count messages. The id of a call begins with its step, and the last reply is of the last. */
function placeOfReply(step: number, messages: readonly KeptMessage[], isLast: boolean): number | null {
  const at = messages.findIndex(({ calls }) => calls?.some(({ id }) => id.startsWith(`s${step}-`)));
  if (at >= 0) return at;
  const last = messages.findLastIndex(({ role, unfinished }) => role === 'assistant' && !unfinished);
  return isLast && last >= 0 && !messages[last]!.calls ? last : null;
}

interface All {
  readonly record: StateRecord;
  readonly kept: ReturnType<typeof keptOf>;
  readonly groups: readonly Group[];
  readonly told: readonly (number | null)[];
}

function stepOf(all: All, group: Group, i: number): Step {
  const { record, kept, groups, told } = all;
  const [first] = group;
  const last = group.at(-1)!;
  const notes = group.flatMap(({ note }) => note ?? []);
  const { step } = first;
  const redirect = kept.steers.findLast(({ kind, step: at }) => kind === 'redirect' && (at ?? 0) <= step);
  const reply = replyOf(all, i);
  const outcome = outcomeOf(all, i, reply);
  return {
    step,
    at: first.at,
    until: last.at,
    node: first.node,
    epoch: first.epoch,
    backend: group.findLast(({ backend }) => backend !== null)?.backend ?? null,
    state: group.find(({ state }) => working.has(state))?.state ?? first.state,
    why: whyOf(all, group, i),
    usage: usageBetween(i === 0 ? noUsage : first.usage, groups[i + 1]?.[0].usage ?? last.usage),
    ...(outcome && { outcome }),
    ...(reply && {
      reply: {
        text: fitted(reply.text, maxReplyChars),
        ...(reply.calls && { calls: reply.calls.map(({ id, tool, args }) => ({ id, tool, args })) }),
      },
    }),
    ...(notes.length > 0 && { note: [...new Set(notes)].join('; ') }),
    told: told[i] ?? null,
    digest: group.findLast(({ prompt }) => prompt?.digest)?.prompt?.digest ?? null,
    instruction: redirect?.text ?? record.spec.instruction,
  };
}

/** The messages between the begin of a step and the begin of the next one. */
function during({ kept, told }: All, i: number): readonly KeptMessage[] {
  const from = told[i];
  return from === null || from === undefined ? [] : kept.messages.slice(from, told[i + 1] ?? kept.messages.length);
}

const replyOf = (all: All, i: number): KeptMessage | undefined => {
  const [said] = during(all, i);
  return said?.role === 'assistant' ? said : undefined;
};

function outcomeOf(all: All, i: number, reply: KeptMessage | undefined): JournalStep['outcome'] {
  const { groups, record } = all;
  if (reply && !reply.unfinished) return 'replied';
  const last = groups[i]!.at(-1)!;
  const next = groups[i + 1]?.[0];
  // A goal has no conversation. Its step has ended with the state in which it was made.
  if (record.spec.type === 'supervisor') {
    const isOver = next !== undefined || !working.has(last.state);
    return isOver ? (next && isTakeover(last, next) && working.has(last.state) ? 'lost' : 'replied') : undefined;
  }
  if (next && isTakeover(last, next)) return 'lost';
  if (reply || isBrokenOff(all, i)) return 'interrupted';
  return next || record.result ? 'failed' : undefined;
}

/** Whether an operator broke the call off before it said anything. */
function isBrokenOff({ groups, kept }: All, i: number): boolean {
  const [here, next] = [groups[i]![0].step, groups[i + 1]?.[0].step];
  return kept.steers.some(({ kind, step }) =>
    kind === 'steer' || kind === 'redirect'
      ? next !== undefined && step === next
      : step === here && ['pause', 'swap', 'cancel'].includes(kind),
  );
}

/** Whether another worker took the task over between two commits. A task that waits is held by nobody. */
const isTakeover = (before: Status, after: Status): boolean =>
  after.epoch > before.epoch && before.state !== 'awaiting-steer' && before.state !== 'gathering' && before.state !== 'idle';

const why = (kind: Why['kind'], text: string, more: Partial<Why> = {}): Why => ({
  kind,
  text: fitted(text, maxWhyChars),
  ...more,
});

function whyOf(all: All, group: Group, i: number): Why[] {
  const { record, kept, groups } = all;
  const [first] = group;
  const before = groups[i - 1]?.at(-1) ?? null;
  const found: Why[] = [];
  if (before === null) found.push(startOf(record));
  if (before && isTakeover(before, first)) found.push(restart(before, first));
  for (const [a, b] of pairs(group)) if (isTakeover(a, b)) found.push(restart(a, b));
  if (i > 0) found.push(...saidBetween(all, i, found.length > 0));
  found.push(...(record.spec.type === 'supervisor' ? returnsOf(record, groups, i) : []));
  for (const steer of kept.steers) {
    const isOfThis = isSeen(steer, all, i) ? steer.step === first.step : before !== null && steer.step === before.step;
    if (isOfThis || (i === 0 && (steer.step ?? 0) === 0)) found.push(ofSteer(steer));
  }
  const isSwapped = before?.backend && first.backend && before.backend !== first.backend;
  if (isSwapped && !found.some(({ kind }) => kind === 'swap'))
    found.push(why('swap', `from ${before.backend} to ${first.backend}${first.note ? ` (${first.note})` : ''}`));
  return found;
}

const pairs = (group: Group): [Status, Status][] => group.slice(1).map((status, i) => [group[i]!, status]);

const startOf = ({ spec, archived }: StateRecord): Why => {
  const { forkOf } = spec;
  if (!forkOf) return why('start', spec.instruction);
  const text = forkOf.with
    ? `from step ${forkOf.step} of ${forkOf.task}, with: ${forkOf.with}`
    : `from step ${forkOf.step} of ${forkOf.task}`;
  return archived ? why('start', text) : why('start', text, { task: forkOf.task });
};

const restart = (before: Status, after: Status): Why =>
  why(
    'restart',
    before.node === after.node ? `${after.node} took it up again` : `${after.node} took it over from ${before.node}`,
  );

/** The conversation has gained this since the reply of the step before, without the words of operators. */
function saidBetween(all: All, i: number, isRestarted: boolean): Why[] {
  const { kept } = all;
  const gained = during(all, i - 1);
  const [reply, ...rest] = gained;
  const tools = new Map((reply?.calls ?? []).map(({ id, tool }) => [id, tool]));
  const steers = kept.steers.map(({ text }) => text);
  const found: Why[] = [];
  const isCutOff = reply?.role === 'assistant' && reply.unfinished;
  if (!isRestarted && isCutOff) found.push(why('reply', 'the reply before was cut off'));
  if (!isRestarted && all.told[i - 1] !== null && !reply && !isBrokenOff(all, i - 1))
    found.push(why('reply', 'the call before got no reply'));
  for (const { role, text, call } of reply?.role === 'assistant' ? rest : gained) {
    if (role === 'tool')
      found.push(why('tool', `${tools.get(call ?? '') ?? 'call'}: ${text}`, call === undefined ? {} : { call }));
    if (role === 'user' && !steers.some((said) => text.endsWith(said))) found.push(why('check', text));
  }
  return found;
}

/** Most sub-tasks that are named. */
const mostReturns = 20;

/** A goal puts together what has returned. */
function returnsOf({ plan }: StateRecord, groups: readonly Group[], i: number): Why[] {
  if (groups[i]!.find(({ state }) => working.has(state))?.state !== 'reducing') return [];
  const ended = plan.filter(({ status }) => status === 'returned' || status === 'failed');
  const named = ended
    .slice(0, mostReturns)
    .map(({ key, id, status }) => why('result', `${key}: ${status}`, id ? { task: id } : {}));
  return ended.length > mostReturns ? [...named, why('result', `and ${ended.length - mostReturns} more`)] : named;
}

/** Whether a steer counts for the step whose call saw it; others took effect during a step and count for the next. */
function isSeen({ kind, text }: KeptSteer, { kept, told, record }: All, i: number): boolean {
  if (kind === 'steer' || kind === 'redirect') return true;
  if (kind !== 'answer' || record.spec.type === 'supervisor') return false;
  const to = told[i];
  const from = told[i - 1] ?? 0;
  return to !== null && kept.messages.slice(from, to).some((said) => said.role === 'user' && said.text === text);
}

function ofSteer({ id, kind, text, reason }: KeptSteer): Why {
  const more = { steer: id };
  if (kind === 'steer' || kind === 'redirect' || kind === 'answer' || kind === 'swap')
    return why(kind, kind === 'answer' && reason ? `${text} (${reason})` : text, more);
  return why('steer', [kind, text].filter(Boolean).join(' '), more);
}

const usageBetween = (before: Usage, after: Usage): Usage => {
  const estimatedUsd = (after.estimatedUsd ?? 0) - (before.estimatedUsd ?? 0);
  return {
    inputTokens: Math.max(0, after.inputTokens - before.inputTokens),
    outputTokens: Math.max(0, after.outputTokens - before.outputTokens),
    costUsd: Math.max(0, Number((after.costUsd - before.costUsd).toFixed(12))),
    ...(estimatedUsd > 0 && { estimatedUsd }),
  };
};
