/** Reads many state records at once, by a scan of the last value of every key in the bucket. */
import { DeliverPolicy } from '@nats-io/jetstream';
import type { Bus } from '../bus.ts';
import { storedBytes } from '../capacity/stream-limits.ts';
import { scanStream } from '../log/stream-scan.ts';
import { parseRecord, StateRecord } from './state-record.ts';
import { readState } from './state-store.ts';

/**
 * Reads all records on `filter`, except those in phase `unborn`, without their checkpoints. For lists and sweeps: this is not a
 * read that decides. Calls that come at once share one scan.
 * @param filter `>` for every task, `k3xq.*` for one tree.
 */
export const allRecords = (bus: Bus, filter: string): Promise<readonly StateRecord[]> =>
  bus.scans.share(filter, () => readAll(bus, filter));

async function readAll(bus: Bus, filter: string): Promise<StateRecord[]> {
  const records = await scan(bus, filter);
  // A record that is written during the scan moves behind the end of the scan. Such records are read one by one.
  const missing = (await keysOf(bus, filter)).filter((id) => !records.has(id));
  for (const stored of await Promise.all(missing.map((id) => readState(bus, id))))
    if (stored) records.set(stored.record.id, stored.record);
  return [...records.values()].filter(({ phase }) => phase !== 'unborn');
}

const bucketOf = ({ subjects }: Bus) => ({ stream: `KV_${subjects.stateBucket}`, prefix: `$KV.${subjects.stateBucket}.` });

/** A key of the bucket as a scan found it. `record` is null if the value is not a state record. */
export interface Entry {
  readonly key: string;
  readonly record: StateRecord | null;
  readonly revision: number;
  /** Size in the server's store. */
  readonly bytes: number;
  /** Time of the write, by the server's clock. */
  readonly storedAt: Date;
}

/**
 * Scans the bucket, `unborn` records included.
 * @returns in `unread` the keys that the scan missed because they were written meanwhile.
 */
export async function entriesOf(bus: Bus, filter: string): Promise<{ entries: Entry[]; unread: string[] }> {
  const entries: Entry[] = [];
  await scanBucket(bus, filter, (entry) => void entries.push(entry));
  const seen = new Set(entries.map(({ key }) => key));
  return { entries, unread: (await keysOf(bus, filter)).filter((key) => !seen.has(key)) };
}

async function keysOf(bus: Bus, filter: string): Promise<string[]> {
  const { stream, prefix } = bucketOf(bus);
  const { state } = await bus.jsm.streams.info(stream, { subjects_filter: `${prefix}${filter}` });
  return Object.keys(state.subjects ?? {}).map((subject) => subject.slice(prefix.length));
}

async function scan(bus: Bus, filter: string): Promise<Map<string, StateRecord>> {
  const records = new Map<string, StateRecord>();
  await scanBucket(bus, filter, ({ record }) => record && records.set(record.id, listed(record)));
  return records;
}

const fields = Object.keys(StateRecord.shape) as (keyof StateRecord)[];

/**
 * Drops unknown fields and the checkpoint, because a list has many records in memory at once. The open question of the checkpoint
 * stays: lists show it.
 */
function listed(record: StateRecord): StateRecord {
  const known = Object.fromEntries(fields.flatMap((field) => (record[field] === undefined ? [] : [[field, record[field]]])));
  const { question } = (record.snapshot?.context ?? {}) as { question?: unknown };
  return { ...(known as StateRecord), snapshot: question ? { context: { question } } : null, earlier: undefined };
}

function scanBucket(bus: Bus, filter: string, take: (entry: Entry) => void): Promise<void> {
  const { stream, prefix } = bucketOf(bus);
  const options = { filter_subjects: [`${prefix}${filter}`], deliver_policy: DeliverPolicy.LastPerSubject };
  return scanStream(bus, stream, options, (message) => {
    const { subject, seq, data, time } = message;
    const key = subject.slice(prefix.length);
    const record = data.length > 0 ? parseRecord(data, key) : null;
    take({ key, record, revision: seq, bytes: storedBytes(message), storedAt: time });
  });
}
