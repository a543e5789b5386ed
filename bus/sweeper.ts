/**
 * The sweeper (PROTOCOL line 16): finds tasks that no ticket will ever reach and publishes one. Every node runs it now and then; that several
 * do is harmless, since a claim decides. Two cases: a `held` task whose ticket is gone from the queue, and a `ready` one whose ticket was
 * never stored or was lost, which shows when younger tickets of its type have been delivered already.
 */
import type { Bus } from './bus.ts';
import { allRecords } from './records.ts';
import { readState, replaceState, type StateRecord } from './state-record.ts';
import { enqueue } from './task-queue.ts';

/** A task is left alone for so long after it was created: its dispatcher may still be publishing the ticket. */
const graceMs = 30_000;

export interface SweepOptions {
  readonly now: () => Date;
  readonly graceMs?: number;
}

/** @returns ids of the tasks that were published again. */
export async function sweep(bus: Bus, { now, graceMs: grace = graceMs }: SweepOptions): Promise<string[]> {
  const found: string[] = [];
  const oldest = new Map<string, number>();
  for (const record of await allRecords(bus, '>')) {
    if (record.phase === 'done' || record.phase === 'parked') continue;
    const age = now().getTime() - Date.parse(record.last?.at ?? record.createdAt);
    if (age < grace) continue;
    const isLost = record.phase === 'held' ? await isGone(bus, record.q) : await wasPassedOver(bus, record, grace, oldest);
    if (isLost && (await publishAgain(bus, record))) found.push(record.id);
  }
  if (found.length > 0) bus.log.warn({ tasks: found }, 'tasks without a ticket were published again');
  return found;
}

const isGone = async (bus: Bus, seq: number): Promise<boolean> =>
  (await bus.jsm.streams.getMessage(bus.subjects.workStream, { seq })) === null;

/** Tickets are delivered in order: one that is older than the oldest still waiting, and not waiting itself, is not coming. */
async function wasPassedOver(
  bus: Bus,
  { spec, createdAt, last, t }: StateRecord,
  grace: number,
  oldest: Map<string, number>,
): Promise<boolean> {
  // A task that was handed back waits among the wakes.
  const subject = bus.subjects.ticket(spec.type, t === 0 ? 'pending' : 'wake');
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

/** `held` goes to `ready` first, so that the worker that had it is fenced. */
async function publishAgain(bus: Bus, seen: StateRecord): Promise<boolean> {
  const held = await readState(bus, seen.id);
  if (!held || held.record.epoch !== seen.epoch || held.record.phase !== seen.phase || held.record.t !== seen.t) return false;
  const { record } = held;
  if (record.phase === 'held' && !(await replaceState(bus, held, { ...record, phase: 'ready' }))) return false;
  await enqueue(bus, record.spec.type, record.t === 0 ? 'pending' : 'wake', { id: record.id, t: record.t + 1 });
  return true;
}
