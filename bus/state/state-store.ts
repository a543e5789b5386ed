/**
 * Reads and writes state records, one at a time.
 * A. Every write is a compare-and-set on the record's revision and awaited; a writer that loses one stops without a trace.
 * Rules `compare-and-set` and `own-write` (docs/task-protocol.md).
 */
import { randomUUID } from 'node:crypto';
import { CoxError } from '../../platform/errors.ts';
import type { Bus } from '../bus.ts';
import { lastMessage } from '../leader-reads.ts';
import { publish } from '../publish.ts';
import type { TaskId } from '../task-id.ts';
import { encodeRecord, parseRecord, type StateRecord, type StoredRecord } from './state-record.ts';

export const stateStream = (bus: Bus) => `KV_${bus.subjects.stateBucket}`;
export const stateSubject = (bus: Bus, id: TaskId) => `$KV.${bus.subjects.stateBucket}.${id}`;

/** Read from the leader. A record that is no record (somebody wrote into the bucket by hand) reads as null and is logged. */
export const readState = (bus: Bus, id: TaskId): Promise<StoredRecord | null> =>
  bus.tick.share(`state ${id}`, () => read(bus, id));

async function read(bus: Bus, id: TaskId): Promise<StoredRecord | null> {
  const message = await lastMessage(bus, stateStream(bus), stateSubject(bus, id));
  if (!message || message.data.length === 0) return null;
  const record = parseRecord(message.data);
  if (!record) bus.log.error({ id, revision: message.seq }, 'the state record is unreadable');
  return record && { record, revision: message.seq };
}

/**
 * Where a record was deleted by hand the new one takes the place of the mark that this left.
 * @returns null when there is a record already.
 * @throws CoxError `bad-record` when there is something else.
 */
export async function createState(bus: Bus, record: StateRecord, signal?: AbortSignal): Promise<StoredRecord | null> {
  const written = await write(bus, record, 0, signal);
  if (written) return written;
  const there = await lastMessage(bus, stateStream(bus), stateSubject(bus, record.id));
  if (there?.data.length === 0) return write(bus, record, there.seq, signal);
  // Who is told that there is a record reads it, and would find none, again and again.
  if (there && !parseRecord(there.data))
    throw new CoxError('bad-record', `What stands in the bucket under ${record.id} is no state record`, {
      hint: `Look at it with \`nats kv get ${bus.subjects.stateBucket} ${record.id}\`; \`nats kv del\` makes room for a new one.`,
    });
  return null;
}

/** @returns null when the compare-and-set was lost: someone else's writes count now. */
export const replaceState = (
  bus: Bus,
  stored: StoredRecord,
  next: StateRecord,
  signal?: AbortSignal,
): Promise<StoredRecord | null> => write(bus, next, stored.revision, signal);

async function write(bus: Bus, next: StateRecord, revision: number, signal?: AbortSignal): Promise<StoredRecord | null> {
  const record = { ...next, write: randomUUID() };
  const { id, write } = record;
  const { value, chars } = encodeRecord(record);
  const expect = { lastSubjectSequence: revision };
  const at = performance.now();
  const written = await publish(bus, stateSubject(bus, id), value, { expect }, signal);
  if (written.ok) {
    bus.recentRecords.noteWritten(record, chars, at);
    return { record, revision: written.seq, chars };
  }
  // The reply to our own write may have been lost, and the broker's memory of message ids with it.
  const now = await readState(bus, id);
  return now?.record.write === write ? now : null;
}
