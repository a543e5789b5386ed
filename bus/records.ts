/** Reads many state records at once: the last value of every key, in one pass over the bucket. */
import { DeliverPolicy } from '@nats-io/jetstream';
import type { Bus } from './bus.ts';
import { parseRecord, type StateRecord } from './state-record.ts';

/** @param filter `>` for every task, `k3xq.*` for one tree. For looking around: not a read that decides. Leaves out what is `unborn`. */
export async function allRecords({ js, subjects }: Bus, filter: string): Promise<StateRecord[]> {
  const consumer = await js.consumers.get(`KV_${subjects.stateBucket}`, {
    filter_subjects: [`$KV.${subjects.stateBucket}.${filter}`],
    deliver_policy: DeliverPolicy.LastPerSubject,
  });
  const records: StateRecord[] = [];
  if ((await consumer.info()).num_pending === 0) return records;
  const messages = await consumer.consume();
  for await (const message of messages) {
    const record = message.data.length > 0 ? parseRecord(message.data) : null;
    if (record && record.phase !== 'unborn') records.push(record);
    if (message.info.pending === 0) break;
  }
  await messages.close();
  return records;
}
