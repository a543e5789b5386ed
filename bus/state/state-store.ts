/**
 * Reads and writes state records, one at a time.
 * A. Every write is a compare-and-set on the record's revision and is awaited; a writer that loses one stops without a trace.
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

/** Reads a record from the leader. A value that is not a state record (somebody wrote it by hand) is logged and reads as null. */
export const readState = (bus: Bus, id: TaskId): Promise<StoredRecord | null> =>
  bus.tick.share(`state ${id}`, () => read(bus, id));

async function read(bus: Bus, id: TaskId): Promise<StoredRecord | null> {
  const message = await lastMessage(bus, stateStream(bus), stateSubject(bus, id));
  if (!message || message.data.length === 0) return null;
  const record = parseRecord(message.data, id);
  if (!record) bus.log.error({ id, revision: message.seq }, 'the state record is unreadable');
  return record && { record, revision: message.seq };
}

/**
 * Creates the record of a task. If a record was deleted by hand, the new one replaces the delete marker.
 * @returns null if there is a record already.
 * @throws CoxError `bad-record` if the key has a value that is not a state record.
 */
export async function createState(bus: Bus, record: StateRecord, signal?: AbortSignal): Promise<StoredRecord | null> {
  const written = await write(bus, record, 0, signal);
  if (written) return written;
  const there = await lastMessage(bus, stateStream(bus), stateSubject(bus, record.id));
  if (there?.data.length === 0) return write(bus, record, there.seq, signal);
  // If this returned null, the caller would read the key, find no record, and try to create it again without end.
  if (there && !parseRecord(there.data, record.id))
    throw new CoxError('bad-record', `The value in the bucket under ${record.id} is not a state record`, {
      hint: `Look at it with \`nats kv get ${bus.subjects.stateBucket} ${record.id}\`; delete it with \`nats kv del\`.`,
    });
  return null;
}

/** Replaces a record. @returns null if the compare-and-set was lost because somebody else has written the record meanwhile. */
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
  // The conflict may be with our own write: it was stored, its reply was lost, and it was sent again.
  const now = await readState(bus, id);
  return now?.record.write === write ? now : null;
}
