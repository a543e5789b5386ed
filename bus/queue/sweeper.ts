/**
 * The sweeper (rule `sweeper`) finds tasks that no ticket will reach, and publishes a ticket for each:
 * - a `held` task whose ticket is gone from the queue;
 * - a `ready` task whose ticket was never stored or was lost: younger tickets of its type have been delivered already;
 * - a `parked` task whose timer is overdue.
 * It also cancels sub-tasks whose parent has ended. Every node sweeps from time to time. Several sweeps at once are harmless,
 * since a claim decides.
 */
import type { Bus } from '../bus.ts';
import { publish } from '../publish.ts';
import { allRecords } from '../state/all-records.ts';
import type { StateRecord } from '../state/state-record.ts';
import { readState, replaceState } from '../state/state-store.ts';
import { parentOf, type TaskId } from '../task-id.ts';
import { doubtMs } from './lease.ts';
import { enqueue } from './task-queue.ts';

/** A task whose last status (or creation) is younger than this, in ms, is left alone: its ticket may still be on its way. */
const graceMs = 30_000;

export interface SweepOptions {
  readonly now: () => Date;
  readonly leaseMs: number;
  /** Runs whose ticket this node has published in earlier sweeps. A ticket that still waits is not published again. */
  readonly published: Set<string>;
  /** Default: 30,000. */
  readonly graceMs?: number;
}

/** @returns ids of the tasks for which a ticket was published. */
export async function sweep(bus: Bus, { now, leaseMs, published, graceMs: grace = graceMs }: SweepOptions): Promise<string[]> {
  const found: string[] = [];
  const oldest = new Map<string, number>();
  const records = await allRecords(bus, '>');
  const alive = new Set(records.filter(({ phase }) => phase !== 'done').map(({ id }) => id));
  for (const record of records) {
    if (record.phase === 'done') continue;
    const age = now().getTime() - Date.parse(record.last?.at ?? record.createdAt);
    if (age < grace) continue;
    const parent = parentOf(record.id);
    if (parent !== null && !alive.has(parent)) await cancelOrphan(bus, record.id);
    if (isOverdue(record, now().getTime() - grace)) {
      await enqueue(bus, record.spec.type, 'wake', { id: record.id, run: record.run + 1 });
      found.push(record.id);
    }
    if (record.phase === 'parked' || published.has(`${record.id} ${record.run}`)) continue;
    const isLost =
      record.phase === 'held' ? await isGone(bus, record.ticketSeq) : await wasPassedOver(bus, record, grace, oldest);
    if (!isLost || !(await publishAgain(bus, record, new Date(now().getTime() + doubtMs(leaseMs))))) continue;
    published.add(`${record.id} ${record.run}`);
    found.push(record.id);
  }
  if (found.length > 0) bus.log.warn({ tasks: found }, 'published tickets for tasks that had lost theirs');
  return found;
}

/** The timer of such a task is lost: anybody may write to its subject and so replace it. */
const isOverdue = ({ phase, wakeAt }: StateRecord, before: number): boolean =>
  phase === 'parked' && wakeAt !== null && Date.parse(wakeAt) < before;

/**
 * Cancels a sub-task whose parent has ended. Nobody waits for its result, and a parked one would wait for ever (docs/adr/0012).
 * All sweeps use the same message id, so the log stores one cancel.
 */
const cancelOrphan = (bus: Bus, id: TaskId) =>
  publish(
    bus,
    bus.subjects.of(id, 'steering'),
    JSON.stringify({ type: 'cancel', id: 'orphaned', reason: 'its parent has ended' }),
    {
      msgID: `${id}:orphaned`,
    },
  );

const isGone = async (bus: Bus, seq: number): Promise<boolean> =>
  (await bus.jsm.streams.getMessage(bus.subjects.workStream, { seq })) === null;

/** Tickets are delivered in order. If the oldest ticket that waits is younger than the task's own ticket, that one is lost. */
async function wasPassedOver(
  bus: Bus,
  { spec, createdAt, last, run }: StateRecord,
  grace: number,
  oldest: Map<string, number>,
): Promise<boolean> {
  // A task that was released waits in the wake queue.
  const subject = bus.subjects.ticket(spec.type, run === 0 ? 'pending' : 'wake');
  if (!oldest.has(subject)) oldest.set(subject, await oldestWaiting(bus, subject));
  return Date.parse(last?.at ?? createdAt) + grace < oldest.get(subject)!;
}

async function oldestWaiting(bus: Bus, subject: string): Promise<number> {
  const info = await bus.jsm.streams.info(bus.subjects.workStream, { subjects_filter: subject });
  const left = info.state.subjects?.[subject] ?? 0;
  if (left === 0) return Number.POSITIVE_INFINITY;
  const first = await bus.jsm.streams.getMessage(bus.subjects.workStream, { seq: 1, next_by_subj: subject } as never);
  return first ? first.time.getTime() : Number.POSITIVE_INFINITY;
}

/**
 * Takes a `held` task back to `ready` first, so that its worker is fenced.
 * @returns false if the record has changed meanwhile.
 */
async function publishAgain(bus: Bus, seen: StateRecord, doubtfulUntil: Date): Promise<boolean> {
  const stored = await readState(bus, seen.id);
  if (!stored || stored.record.epoch !== seen.epoch || stored.record.phase !== seen.phase || stored.record.run !== seen.run)
    return false;
  const { record } = stored;
  if (
    record.phase === 'held' &&
    !(await replaceState(bus, stored, { ...record, phase: 'ready', doubtfulUntil: doubtfulUntil.toISOString() }))
  )
    return false;
  await enqueue(bus, record.spec.type, record.run === 0 ? 'pending' : 'wake', { id: record.id, run: record.run + 1 });
  return true;
}
