/**
 * Who may run a task (rule `claim`). One message is one run; a lost compare-and-set reads again.
 * Rules `release` and `tombstone` (docs/task-protocol.md).
 */
import type { Bus } from '../bus.ts';
import { flush } from '../log/projection.ts';
import { readSteering } from '../log/steering-log.ts';
import type { Failure, TaskSpec } from '../messages.ts';
import { isPlanned } from '../state/parents.ts';
import { newRecord, type StateRecord, type StoredRecord } from '../state/state-record.ts';
import { createState, readState, replaceState } from '../state/state-store.ts';
import { parentOf, type TaskId } from '../task-id.ts';
import { lostSoFar, sendLetter } from './dead-letter-stream.ts';
import type { Delivery } from './delivery.ts';
import { doubtMs } from './lease.ts';
import { enqueue } from './task-queue.ts';
import { setTimer } from './timers.ts';

export type Claim =
  /**
   * The task is ours at this epoch; `tentative`: it will be by the first commit, which is a compare-and-set on what was read here. Until then
   * nothing is known of it, so nothing may happen that anyone could notice (rule `first-claim`).
   */
  | { readonly kind: 'run'; readonly stored: StoredRecord; readonly tentative: boolean }
  /** It is ours, and it is not to run: it failed for good, or (null) it is cancelled because its parent has ended (rules `poison`, `ended-parent`). */
  | { readonly kind: 'end'; readonly stored: StoredRecord; readonly failure: Failure | null }
  /** Another node should rather have it: hand the ticket back for a while. */
  | { readonly kind: 'later'; readonly why: string }
  /** Nothing to do for this ticket: ack it. */
  | { readonly kind: 'stale'; readonly why: string };

export interface Claimant {
  readonly node: string;
  readonly now: () => Date;
  readonly leaseMs: number;
  /** May leave the first claim of a task to the first commit. Default: no. */
  readonly tentatively?: boolean;
  /** Whether a sub-task without a state is to be started. Default: by its parent's state. */
  readonly isPlanned?: (id: TaskId) => Promise<boolean>;
  /** Asked before a task with a checkpoint is claimed (docs/adr/0015). */
  readonly leaves?: (record: StateRecord) => Promise<boolean>;
}

/** Rule `poison`: claims in a row that came to nothing before a task is taken to be what kills its workers. */
const maxIdleClaims = 5;
const poison = (claims: number): Failure => ({
  code: 'poison',
  message: `${claims} workers were lost while they held it, and none got any further`,
  retryable: false,
});

const stale = (why: string): Claim => ({ kind: 'stale', why });

/** The record as a claim of this ticket writes it. */
const claimedBy = (record: StateRecord, { node, run, seq }: { node: string; run: number; seq: number }): StateRecord => ({
  ...record,
  phase: 'held',
  epoch: record.epoch + 1,
  run,
  ticketSeq: seq,
  node,
  idleClaims: record.idleClaims + 1,
});

export async function claim(
  bus: Bus,
  { ticket, seq, type }: Pick<Delivery, 'ticket' | 'seq' | 'type'>,
  { node, now, leaseMs, tentatively = false, isPlanned: planned = (it) => isPlanned(bus, it), leaves }: Claimant,
): Promise<Claim> {
  const { id, run } = ticket;
  // Which queue a task waits in is for whoever dispatches it to say.
  const isElsewhere = (spec: TaskSpec) => spec.type !== type;
  if (ticket.spec && isElsewhere(ticket.spec)) return stale(`a ${ticket.spec.type} ticket among ${type} tickets`);
  const firstClaim = (spec: TaskSpec) => claimedBy(newRecord(id, spec, node, now().toISOString()), { node, run, seq });
  // Nearly always there is nothing to read: if there is, the first commit finds out.
  if (tentatively && ticket.spec && run === 1 && (await planned(id)))
    return { kind: 'run', stored: { record: firstClaim(ticket.spec), revision: 0 }, tentative: true };
  for (;;) {
    const stored = await readState(bus, id);
    if (!stored || stored.record.phase === 'unborn') {
      // Rule `planned-child`: no state and no live parent: never start.
      // The first ticket is number 1: with any other those that follow would not be taken for the next.
      if (!ticket.spec || run !== 1 || !(await planned(id))) return stale('no such task');
      const first = { ...firstClaim(ticket.spec), ...(stored && returnedBefore(stored.record)) };
      const written = stored ? await replaceState(bus, stored, first) : await createState(bus, first);
      if (!written) continue;
      if (await hasEndedAbove(bus, id)) return { kind: 'end', stored: written, failure: null };
      return { kind: 'run', stored: written, tentative: false };
    }
    const { record } = stored;
    if (record.phase === 'done') {
      await flush(bus, record);
      await sendLetter(bus, record);
      return stale('done');
    }
    if (isElsewhere(record.spec)) return stale(`a ${type} ticket for a ${record.spec.type} task`);
    const next = (record.phase === 'ready' || record.phase === 'parked') && run === record.run + 1;
    const again = record.phase === 'held' && run === record.run && seq === record.ticketSeq;
    if (next || again) {
      if (record.snapshot !== null && (await leaves?.(record)))
        return { kind: 'later', why: 'its checkpoint is newer than this node' };
      // A redelivery: whoever had it may be frozen rather than dead (rule `in-doubt`).
      const doubt = again && { doubtfulUntil: new Date(now().getTime() + doubtMs(leaseMs)).toISOString() };
      const claimed = { ...claimedBy(record, { node, run, seq }), ...lostSoFar(record), ...doubt };
      if (tentatively && record.epoch === 0)
        return { kind: 'run', stored: { record: claimed, revision: stored.revision }, tentative: true };
      const written = await replaceState(bus, stored, claimed);
      if (!written) continue;
      if (record.idleClaims >= maxIdleClaims) return { kind: 'end', stored: written, failure: poison(record.idleClaims) };
      if (await hasEndedAbove(bus, id)) return { kind: 'end', stored: written, failure: null };
      return { kind: 'run', stored: written, tentative: false };
    }
    if (record.phase === 'parked' && run === record.run) {
      await afterPark(bus, stored);
      return stale('parked');
    }
    if (record.phase === 'ready' && run === record.run && seq === record.ticketSeq) {
      await afterRelease(bus, stored);
      return stale('released');
    }
    return stale(`ticket ${run} of a task that is ${record.phase} at ${record.run}`);
  }
}

/** What remains to be done once `parked` is committed (rule `park`): tell of it, and wake it again if something came meanwhile. */
export async function afterPark(bus: Bus, { record }: StoredRecord): Promise<void> {
  await flush(bus, record);
  if (record.wakeAt !== null) await setTimer(bus, record.id, new Date(record.wakeAt));
  const unread = await readSteering(bus, record.id, record.steeringCursor);
  if (unread.length > 0) await enqueue(bus, record.spec.type, 'wake', { id: record.id, run: record.run + 1 });
}

/** What remains to be done once a draining worker has committed `ready`: the task is on the queue again, before new work. */
export async function afterRelease(bus: Bus, { record }: StoredRecord): Promise<void> {
  await flush(bus, record);
  await enqueue(bus, record.spec.type, 'wake', { id: record.id, run: record.run + 1 });
}

/** What was returned under this id before there was a task (docs/adr/0010). */
const returnedBefore = ({ steeringCursor, known, commit, outbox, statusSeq }: StateRecord) => ({
  steeringCursor,
  known,
  commit,
  outbox,
  statusSeq,
});

/** A sub-task whose parent has ended, or was purged, is not to run (rule `ended-parent`, docs/adr/0012). */
export async function hasEndedAbove(bus: Bus, id: TaskId): Promise<boolean> {
  const parent = parentOf(id);
  if (parent === null) return false;
  const above = await readState(bus, parent);
  return !above || above.record.phase === 'done';
}
