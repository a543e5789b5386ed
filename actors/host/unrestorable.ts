/**
 * Hosts a task whose checkpoint this node cannot restore (docs/adr/0015). The task is neither dropped nor failed: it asks its
 * operator. No actor runs; this module handles the operator's messages and writes the outcome in one commit.
 * E. The checkpoint stays unchanged for a node that can restore it, and the task is tried again every `retryMs`.
 * G. Every steer that arrives meanwhile gets its final receipt; a steer that was queued before stays queued.
 * Rule `checkpoint-version` (docs/task-protocol.md).
 */
import type { Bus } from '../../bus/bus.ts';
import { remembered } from '../../bus/log/returned-steers.ts';
import { readSteering, type Steering } from '../../bus/log/steering-log.ts';
import type { Question, Receipt } from '../../bus/messages.ts';
import { afterPark } from '../../bus/queue/claim.ts';
import { endTask } from '../../bus/queue/end-task.ts';
import { returned, type StateRecord, type StoredRecord, steersOf, withStatus } from '../../bus/state/state-record.ts';
import { replaceState } from '../../bus/state/state-store.ts';
import { chosen } from '../../machines/answer.ts';
import { noUsage } from '../../machines/conversation.ts';
import { salvageOf } from './salvage.ts';

export type UnrestorableEnd =
  /** The task waits for its operator or for a node that can restore its checkpoint; or it has ended. */
  | { readonly kind: 'parked' | 'ended' }
  | { readonly kind: 'fenced' }
  /** The task begins again and must be hosted. */
  | { readonly kind: 'begins-again'; readonly stored: StoredRecord };

export interface UnrestorableOptions {
  /** Why the checkpoint cannot be restored, in words for the operator. */
  readonly why: string;
  readonly now: () => Date;
  /** Time until the parked task is tried again, in milliseconds. */
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
  const { steers } = await readSteering(bus, record.id, record.steeringCursor);
  const heard = hear(record, asked, steers);
  if (heard.verdict.kind === 'cancel') {
    const ended = await endTask(bus, stored, null, at.toISOString(), { findings: found(), applied: heard.verdict.by });
    return { kind: ended ? 'ended' : 'fenced' };
  }
  const taken = { ...record, steeringCursor: heard.cursor, known: remembered(record.known, heard.known) };
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
      // A claim that ends in a park is not counted as a lost worker (docs/adr/0011).
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

/** One commit removes the old checkpoint and gives the answer its receipt. The new machine starts from `earlier`. */
async function beginAgain(
  bus: Bus,
  stored: StoredRecord,
  record: StateRecord,
  receipts: readonly Receipt[],
  at: Date,
): Promise<UnrestorableEnd> {
  const beginning = salvageOf(record);
  const carried = new Set(beginning.steers.map(({ id }) => id));
  // The text of a queued steer is in the checkpoint. A steer whose text cannot be read from there is returned.
  const lost = record.inbox.filter(({ steer }) => !carried.has(steer));
  const reason = 'the task begins again, and this message could not be read from its checkpoint: send it again';
  const next = withStatus(
    {
      ...record,
      machine: null,
      snapshot: null,
      stranded: undefined,
      earlier: { ...beginning },
      inbox: record.inbox.filter(({ steer }) => carried.has(steer)),
      known: remembered([...steersOf(record)].filter((id) => !carried.has(id))),
      plan: [],
      idleClaims: 0,
    },
    {
      ...standing(record, at),
      state: 'idle',
      receipts: [...lost.map(({ steer, kind, seq, by }) => returned(steer, kind, seq, reason, by)), ...receipts],
      note: 'it begins again from its instruction, with the findings so far',
    },
  );
  const written = await replaceState(bus, stored, next);
  return written ? { kind: 'begins-again', stored: written } : { kind: 'fenced' };
}

/** The status of a task whose machine does not run. */
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

/** The commit number never repeats, so the id of the question is unique in its task. */
const questionFor = (record: StateRecord, why: string, doing: string | undefined): Question => ({
  id: `v${record.commit + 1}`,
  kind: 'checkpoint',
  text: [
    `It can't go on: ${why}.`,
    ...(doing ? [`When its worker stopped, it was running ${doing}; that may have happened.`] : []),
    'A node that knows the checkpoint continues the task by itself.',
    '`restart`: begin again from the instruction, with the findings so far. `leave`: wait for such a node without asking.',
  ].join(' '),
  choices: ['restart', 'leave'],
});

interface Heard {
  readonly verdict: Verdict;
  readonly receipts: Receipt[];
  readonly known: readonly Steering[];
  /** Log sequence up to which steers were handled. After `restart` or `cancel`, the next reader handles later steers. */
  readonly cursor: number;
}

/** Handles the next steers that arrived since the task was parked, in the order of the log. */
function hear(record: StateRecord, question: Question | null, steers: readonly Steering[]): Heard {
  let left = record.stranded?.left ?? false;
  const taken = steersOf(record);
  const known: Steering[] = [];
  const receipts: Receipt[] = [];
  for (const said of steers) {
    const { steer, seq, message, problem, by } = said;
    if (taken.has(steer)) continue;
    taken.add(steer);
    known.push(said);
    const kind = message?.type ?? 'unknown';
    const apply = () => {
      const base = { steer, kind, seq, ...(by && { by }) };
      receipts.push({ ...base, fate: 'accepted' }, { ...base, step: record.last?.step ?? 0, fate: 'applied' });
    };
    if (message?.type === 'cancel') return { verdict: { kind: 'cancel', by: steer }, receipts, known, cursor: seq };
    const isAnswer = message?.type === 'answer' && message.question === question?.id && !left;
    const choice = isAnswer ? chosen({ kind: question!.kind, choices: question!.choices ?? [] }, message.text) : undefined;
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
    } else receipts.push(returned(steer, kind, seq, problem ?? whyNot(kind, isAnswer, question), by));
  }
  return { verdict: { kind: 'wait', left }, receipts, known, cursor: steers.at(-1)?.seq ?? record.steeringCursor };
}

function whyNot(kind: string, isAnswer: boolean, question: Question | null): string {
  if (isAnswer) return 'answer `restart` or `leave`';
  if (kind === 'answer') return 'that question is not open';
  if (question) return `it can't go on with its checkpoint: answer question ${question.id} first`;
  return "it can't go on with its checkpoint: `resume` asks what to do, `cancel` ends it";
}
