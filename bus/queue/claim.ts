/**
 * Decides who may run a task (rule `claim`). One ticket is one run. After a lost compare-and-set the record is read again.
 * Rules `release`, `tombstone` and `seal` (docs/task-protocol.md).
 */
import type { Bus } from '../bus.ts';
import { flush } from '../log/projection.ts';
import { hasUnreadSteers } from '../log/steering-log.ts';
import type { Failure, TaskSpec } from '../messages.ts';
import { isPlanned } from '../state/parents.ts';
import { newRecord, type StateRecord, type StoredRecord } from '../state/state-record.ts';
import { createState, readState, replaceState } from '../state/state-store.ts';
import { parentOf, type TaskId } from '../task-id.ts';
import { lostSoFar, sendLetter } from './dead-letter-stream.ts';
import type { Delivery } from './delivery.ts';
import { doubtMs } from './lease.ts';
import { below } from './nudges.ts';
import { maxIdleClaims, poison } from './poison.ts';
import { enqueue } from './task-queue.ts';
import { setTimer } from './timers.ts';

export type Claim =
  /**
   * The task is this worker's at this epoch. `tentative`: it becomes so only by the first commit, a compare-and-set on the record
   * that was read here. Nobody knows of the claim until then, so nothing may happen that anyone could notice (rule
   * `first-claim`).
   */
  | { readonly kind: 'run'; readonly stored: StoredRecord; readonly tentative: boolean }
  /**
   * The task must not run: it has failed for good (rules `poison` and `seal`), or it is cancelled because its parent has ended
   * (`failure` null, rule `ended-parent`).
   */
  | { readonly kind: 'end'; readonly stored: StoredRecord; readonly failure: Failure | null }
  /** Another node should run the task: requeue the ticket with a delay. */
  | { readonly kind: 'later'; readonly why: string }
  /** There is nothing to do for this ticket: ack it. */
  | { readonly kind: 'stale'; readonly why: string };

export interface Claimant {
  readonly node: string;
  readonly now: () => Date;
  readonly leaseMs: number;
  /** Whether the first commit of a task may be its first claim too. Default: false. */
  readonly tentatively?: boolean;
  /** Whether a sub-task without a record is planned and may start. Default: reads the record of its parent. */
  readonly isPlanned?: (id: TaskId) => Promise<boolean>;
  /** Whether a task with a checkpoint is left to another node (docs/adr/0015). Default: never. */
  readonly leaves?: (record: StateRecord) => Promise<boolean>;
}

const stale = (why: string): Claim => ({ kind: 'stale', why });

/** The record with the claim of this ticket in it. */
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
  // The dispatcher has chosen the queue by the type of the task; a ticket in another queue is not its work.
  const isElsewhere = (spec: TaskSpec) => spec.type !== type;
  if (ticket.spec && isElsewhere(ticket.spec)) return stale(`a ${ticket.spec.type} ticket in the queue for ${type}`);
  const seal = ticket.seal && { seal: ticket.seal };
  const firstClaim = (spec: TaskSpec) =>
    claimedBy({ ...newRecord(id, spec, node, now().toISOString()), ...seal }, { node, run, seq });
  const unsealed = (stored: StoredRecord): Claim | null => {
    const { record } = stored;
    const problem = bus.team?.sealProblem(id, record.spec, record.seal) ?? null;
    return problem === null ? null : { kind: 'end', stored, failure: { code: 'unsealed', message: problem, retryable: false } };
  };
  // Nearly always there is no record yet, so none is read. If there is one, the first commit gets a conflict.
  if (tentatively && ticket.spec && run === 1 && (await planned(id))) {
    const stored = { record: firstClaim(ticket.spec), revision: 0 };
    return unsealed(stored) ?? { kind: 'run', stored, tentative: true };
  }
  for (;;) {
    const stored = await readState(bus, id);
    if (!stored || stored.record.phase === 'unborn') {
      // Rule `planned-child`: a ticket without a record and a live parent starts nothing.
      // The first run must be number 1: after any other number the next ticket would not be taken for the next run.
      if (!ticket.spec || run !== 1 || !(await planned(id))) return stale('no such task');
      const first = { ...firstClaim(ticket.spec), ...(stored && returnedBefore(stored.record)) };
      const refused = unsealed({ record: first, revision: stored?.revision ?? 0 });
      if (refused) return refused;
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
      const refused = unsealed(stored);
      if (refused) return refused;
      if (record.snapshot !== null && (await leaves?.(record)))
        return { kind: 'later', why: 'its checkpoint is newer than this node' };
      // A redelivery: the worker that had the ticket may be frozen rather than dead (rule `in-doubt`).
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
    return stale(`ticket ${run} of a task that is ${record.phase} in run ${record.run}`);
  }
}

/**
 * Does what remains after `parked` is committed (rule `park`): flush, tell the goal that the sub-task waits, set the timer, and
 * wake the task if a steer has come.
 */
export async function afterPark(bus: Bus, { record }: StoredRecord): Promise<void> {
  await flush(bus, record);
  await tellGoal(bus, record);
  if (record.wakeAt !== null) await setTimer(bus, record.id, new Date(record.wakeAt));
  const { id, run, spec, steeringCursor } = record;
  if (await hasUnreadSteers(bus, id, steeringCursor)) await enqueue(bus, spec.type, 'wake', { id, run: run + 1 });
}

/**
 * Lets the goal of a parked sub-task that asks look at its sub-tasks: one that waits for its operator holds no place. The record
 * of the sub-task decides; what is sent here only says when to read it, and is lost only with a connection.
 * Rule `concurrency` (docs/task-protocol.md).
 */
async function tellGoal(bus: Bus, { id, last }: StateRecord): Promise<void> {
  const goal = parentOf(id);
  if (goal === null || !last?.question) return;
  const stored = await readState(bus, goal);
  if (stored) await lookBelow(bus, stored.record);
}

/** A goal looks at its sub-tasks when it is claimed, and when it is nudged so. */
export async function lookBelow(bus: Bus, { id, phase, run, spec }: StateRecord): Promise<void> {
  const isLeaving = bus.nc.isClosed() || bus.nc.isDraining();
  if (phase === 'held' && !isLeaving) bus.nc.publish(bus.subjects.nudge(id), below);
  if (phase === 'parked') await enqueue(bus, spec.type, 'wake', { id, run: run + 1 });
}

/** Does what remains after a draining worker has committed `ready`: flush, and queue the task with the wakes, before new work. */
export async function afterRelease(bus: Bus, { record }: StoredRecord): Promise<void> {
  await flush(bus, record);
  await enqueue(bus, record.spec.type, 'wake', { id: record.id, run: record.run + 1 });
}

/** The fields about steers that were returned under this id before the task existed (docs/adr/0010). */
const returnedBefore = ({ steeringCursor, known, commit, outbox, statusSeq }: StateRecord) => ({
  steeringCursor,
  known,
  commit,
  outbox,
  statusSeq,
});

/** Whether the parent of a sub-task has ended or was purged; then it must not run (rule `ended-parent`, docs/adr/0012). */
export async function hasEndedAbove(bus: Bus, id: TaskId): Promise<boolean> {
  const parent = parentOf(id);
  if (parent === null) return false;
  const above = await readState(bus, parent);
  return !above || above.record.phase === 'done';
}
