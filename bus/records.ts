/** Reads many state records at once: the last value of every key, in one pass over the bucket. */
import { DeliverPolicy } from '@nats-io/jetstream';
import type { Bus } from './bus.ts';
import { parseRecord, readState, type StateRecord } from './state-record.ts';

/** @param filter `>` for every task, `k3xq.*` for one tree. For looking around: not a read that decides. Leaves out what is `unborn`. */
export async function allRecords(bus: Bus, filter: string): Promise<StateRecord[]> {
  const records = await scan(bus, filter);
  // A record that was written while the pass was on its way has moved behind it: what the bucket has and the pass lacks is read alone.
  const { stream, prefix } = bucketOf(bus);
  const { state } = await bus.jsm.streams.info(stream, { subjects_filter: `${prefix}${filter}` });
  const missing = Object.keys(state.subjects ?? {})
    .map((subject) => subject.slice(prefix.length))
    .filter((id) => !records.has(id));
  for (const held of await Promise.all(missing.map((id) => readState(bus, id))))
    if (held) records.set(held.record.id, held.record);
  return [...records.values()].filter(({ phase }) => phase !== 'unborn');
}

const bucketOf = ({ subjects }: Bus) => ({ stream: `KV_${subjects.stateBucket}`, prefix: `$KV.${subjects.stateBucket}.` });

async function scan(bus: Bus, filter: string): Promise<Map<string, StateRecord>> {
  const { stream, prefix } = bucketOf(bus);
  const records = new Map<string, StateRecord>();
  const consumer = await bus.js.consumers.get(stream, {
    filter_subjects: [`${prefix}${filter}`],
    deliver_policy: DeliverPolicy.LastPerSubject,
  });
  if ((await consumer.info()).num_pending === 0) return records;
  const messages = await consumer.consume();
  for await (const message of messages) {
    const record = message.data.length > 0 ? parseRecord(message.data) : null;
    if (record) records.set(record.id, record);
    if (message.info.pending === 0) break;
  }
  await messages.close();
  return records;
}
