/**
 * A task whose checkpoint no machine here can go on with (docs/adr/0015): it is neither dropped nor failed, it asks. No actor runs; what its
 * operator says is decided here and written in one commit, like everything else.
 * E. The checkpoint stays as it is, for a node that knows it: the task is looked at again now and then.
 * G. Whatever is said to it meanwhile gets its final receipt; what was queued before stays queued.
 */
import type { Bus } from '../../bus/bus.ts';
import { readSteering, type Steering } from '../../bus/log/steering-log.ts';
import type { Question, Receipt } from '../../bus/messages.ts';
import { afterPark } from '../../bus/queue/claim.ts';
import { endTask } from '../../bus/queue/end-task.ts';
import { returned, type StateRecord, type StoredRecord, steersOf, withStatus } from '../../bus/state/state-record.ts';
import { replaceState } from '../../bus/state/state-store.ts';
import { noUsage } from '../../machines/conversation.ts';
import { salvageOf } from './salvage.ts';

export type UnrestorableEnd =
  /** It waits for its operator, or for a node that knows its checkpoint; or it has ended. */
  | { readonly kind: 'parked' | 'ended' }
  | { readonly kind: 'fenced' }
  /** It begins again: to be hosted. */
  | { readonly kind: 'begins-again'; readonly stored: StoredRecord };

export interface UnrestorableOptions {
  /** Why it can't go on, in words. */
  readonly why: string;
  readonly now: () => Date;
  /** How long it waits before it is looked at again, in milliseconds. */
  readonly retryMs: number;
}

type Verdict =
  | { readonly kind: 'wait'; readonly left: boolean }
  | { readonly kind: 'restart' }
  | { readonly kind: 'cancel'; readonly by: string };

export async function hostUnrestorable(
  bus: Bus,
  stored: StoredRecord,
  { why, now, retryMs }: UnrestorableOptions,
): Promise<UnrestorableEnd> {
  const { record } = stored;
  const at = now();
  const deadlineAt = record.spec.deadlineAt === null ? Number.POSITIVE_INFINITY : Date.parse(record.spec.deadlineAt);
  const found = () => [...salvageOf(record).found];
  if (deadlineAt <= at.getTime()) {
    const failure = { code: 'deadline', message: `its deadline has passed. It could not go on: ${why}`, retryable: false };
    const ended = await endTask(bus, stored, failure, at.toISOString(), { findings: found() });
    return { kind: ended ? 'ended' : 'fenced' };
  }
  const asked = record.stranded && record.last?.question?.kind === 'checkpoint' ? record.last.question : null;
  const heard = hear(record, asked, await readSteering(bus, record.id, record.steeringCursor));
  if (heard.verdict.kind === 'cancel') {
    const ended = await endTask(bus, stored, null, at.toISOString(), { findings: found(), applied: heard.verdict.by });
    return { kind: ended ? 'ended' : 'fenced' };
  }
  const taken = { ...record, steeringCursor: heard.cursor, known: [...record.known, ...heard.known] };
  if (heard.verdict.kind === 'restart') return beginAgain(bus, stored, taken, heard.receipts, at);

  const { left } = heard.verdict;
  const doing = record.stranded ? record.stranded.doing : (record.last?.doing ?? undefined);
  const question = left ? null : (asked ?? questionFor(record, why, doing));
  const next = withStatus(
    {
      ...taken,
      phase: 'parked',
      stranded: { left, ...(doing && { doing }) },
      wakeAt: new Date(Math.min(at.getTime() + retryMs, deadlineAt)).toISOString(),
      // To park is no failure to get on (docs/adr/0011).
      idleClaims: Math.max(0, record.idleClaims - 1),
    },
    {
      ...standing(record, at),
      paused: left,
      question,
      receipts: heard.receipts,
      note: left ? `left for a node that knows its checkpoint; \`resume\` asks again. ${why}` : why,
    },
  );
  const written = await replaceState(bus, stored, next);
  if (!written) return { kind: 'fenced' };
  bus.log.warn({ id: record.id, why }, 'a task cannot go on with its checkpoint, its operator is asked');
  await afterPark(bus, written);
  return { kind: 'parked' };
}

/** The old checkpoint goes and the answer gets its receipt in one commit; the machine starts with what `earlier` says. */
async function beginAgain(
  bus: Bus,
  stored: StoredRecord,
  record: StateRecord,
  receipts: readonly Receipt[],
  at: Date,
): Promise<UnrestorableEnd> {
  const beginning = salvageOf(record);
  const carried = new Set(beginning.steers.map(({ id }) => id));
  // Of a checkpoint that can't even be read, the words that were queued can't be carried over.
  const lost = record.inbox.filter(({ steer }) => !carried.has(steer));
  const reason = 'the task begins again, and what it had queued could not be read: send it again';
  const next = withStatus(
    {
      ...record,
      machine: null,
      snapshot: null,
      stranded: undefined,
      earlier: { ...beginning },
      inbox: record.inbox.filter(({ steer }) => carried.has(steer)),
      known: [...steersOf(record)].filter((id) => !carried.has(id)),
      plan: [],
      idleClaims: 0,
    },
    {
      ...standing(record, at),
      state: 'idle',
      receipts: [...lost.map(({ steer, kind, seq }) => returned(steer, kind, seq, reason)), ...receipts],
      note: 'it begins again from its instruction, with what was found',
    },
  );
  const written = await replaceState(bus, stored, next);
  return written ? { kind: 'begins-again', stored: written } : { kind: 'fenced' };
}

/** Everything that a status says of a task whose machine is not there to ask. */
const standing = ({ last, spec }: StateRecord, at: Date) => ({
  at: at.toISOString(),
  state: 'awaiting-steer' as const,
  step: last?.step ?? 0,
  backend: last?.backend ?? spec.backend,
  paused: false,
  question: null,
  usage: last?.usage ?? noUsage,
  outcome: null,
  ...(last?.subTasks && { subTasks: last.subTasks }),
});

/** Commits are counted for good: no other question of the task has this id. */
const questionFor = (record: StateRecord, why: string, doing: string | undefined): Question => ({
  id: `v${record.commit + 1}`,
  kind: 'checkpoint',
  text: [
    `It can't go on: ${why}.`,
    ...(doing ? [`When it was left it was running ${doing}; that may have happened.`] : []),
    'A node that knows the checkpoint takes it up by itself.',
    '`restart`: begin again from the instruction, with what was found. `leave`: wait for such a node without asking.',
  ].join(' '),
  choices: ['restart', 'leave'],
});

interface Heard {
  readonly verdict: Verdict;
  readonly receipts: Receipt[];
  readonly known: readonly string[];
  /** What comes after a verdict that ends the waiting is for others to read. */
  readonly cursor: number;
}

/** What was said since it was parked, in order. */
function hear(record: StateRecord, question: Question | null, said: readonly Steering[]): Heard {
  let left = record.stranded?.left ?? false;
  const taken = steersOf(record);
  const known: string[] = [];
  const receipts: Receipt[] = [];
  for (const { steer, seq, message, problem } of said) {
    if (taken.has(steer)) continue;
    taken.add(steer);
    known.push(steer);
    const kind = message?.type ?? 'unknown';
    const apply = () => {
      const applied = { steer, kind, seq, step: record.last?.step ?? 0 };
      receipts.push({ steer, kind, seq, fate: 'accepted' }, { ...applied, fate: 'applied' });
    };
    if (message?.type === 'cancel') return { verdict: { kind: 'cancel', by: steer }, receipts, known, cursor: seq };
    const isAnswer = message?.type === 'answer' && message.question === question?.id && !left;
    const choice = message?.type === 'answer' ? message.text.trim().toLowerCase() : '';
    if (isAnswer && choice === 'restart') {
      apply();
      return { verdict: { kind: 'restart' }, receipts, known, cursor: seq };
    }
    if (isAnswer && choice === 'leave') {
      left = true;
      apply();
    } else if (message?.type === 'resume' && left) {
      left = false;
      apply();
    } else receipts.push(returned(steer, kind, seq, problem ?? whyNot(kind, isAnswer, question)));
  }
  return { verdict: { kind: 'wait', left }, receipts, known, cursor: said.at(-1)?.seq ?? record.steeringCursor };
}

function whyNot(kind: string, isAnswer: boolean, question: Question | null): string {
  if (isAnswer) return 'answer `restart` or `leave`';
  if (kind === 'answer') return 'that question is not open';
  if (question) return `it can't go on with its checkpoint: answer question ${question.id} first`;
  return "it can't go on with its checkpoint: `resume` asks what to do, `cancel` ends it";
}
