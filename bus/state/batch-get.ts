/** Reads many messages by one request: the messages of a log after a sequence, or the state records of many tasks. */
import type { StoredMsg } from '@nats-io/jetstream';
import { codeOf } from '../../platform/errors.ts';
import type { Bus } from '../bus.ts';
import { lastMessage } from '../leader-reads.ts';
import { pause } from '../pause.ts';
import { retryRequest } from '../retry.ts';
import type { TaskId } from '../task-id.ts';
import { parseRecord, type StateRecord } from './state-record.ts';
import { readState, stateStream, stateSubject } from './state-store.ts';

/** Most messages, and bytes, that one request for messages of a log reads. */
const page = { count: 1_000, bytes: 8 * 2 ** 20 };
/** Most subjects in one request. */
const mostSubjects = 500;

/**
 * Yields the messages on `filter` after `seq`, in stream order, up to the last one that the leader has at the time of the call.
 */
export async function* messagesAfter(bus: Bus, stream: string, filter: string, seq: number): AsyncGenerator<StoredMsg> {
  const lastSeq = async () => (await lastMessage(bus, stream, filter))?.seq ?? 0;
  const next = (after: number) => pageAfter(bus, stream, filter, after, page);
  let [last, batch] = await Promise.all([lastSeq(), next(seq)]);
  for (let after = seq; ; batch = await next(after)) {
    yield* batch;
    after = batch.at(-1)?.seq ?? after;
    if (after >= last) return;
    // Either the replica lags behind the leader, or the leader's last message has been purged meanwhile.
    if (batch.length > 0) continue;
    await pause(5);
    last = await lastSeq();
  }
}

/**
 * Reads the first messages on `filter` after `seq`: at most `count`, and no more once `bytes` is reached. A replica may answer, so
 * there may be more messages even if this finds none.
 */
export const pageAfter = (
  bus: Bus,
  stream: string,
  filter: string,
  seq: number,
  { count, bytes }: { readonly count: number; readonly bytes: number },
): Promise<StoredMsg[]> => batchGet(bus, stream, { seq: seq + 1, next_by_subj: filter, batch: count, max_bytes: bytes });

/**
 * Reads the state records of many tasks.
 * @param isFinal whether a record can no longer change. All others are read again from the leader, since a replica may lag
 * behind.
 * @returns the records that exist, by id.
 */
export async function recordsOf(
  bus: Bus,
  ids: readonly TaskId[],
  isFinal: (record: StateRecord) => boolean,
): Promise<Map<TaskId, StateRecord>> {
  const records = new Map<TaskId, StateRecord>();
  for (let i = 0; ids.length > 1 && i < ids.length; i += mostSubjects) {
    const subjects = ids.slice(i, i + mostSubjects).map((id) => stateSubject(bus, id));
    for (const message of await batchGet(bus, stateStream(bus), { multi_last: subjects })) {
      const record = parseRecord(message.data, message.subject.slice(stateSubject(bus, '').length));
      if (record && isFinal(record)) records.set(record.id, record);
    }
  }
  const others = await Promise.all(ids.filter((id) => !records.has(id)).map((id) => readState(bus, id)));
  for (const stored of others) if (stored) records.set(stored.record.id, stored.record);
  return records;
}

type Query = { seq: number; next_by_subj: string; batch: number; max_bytes?: number } | { multi_last: string[] };

/** Not an error: there is no such message, or the replica that answers does not have it yet. */
const isNotFound = (cause: Error): boolean => codeOf(cause) === '404';

/** Timeout for the next message of a batch, in ms: the client waits for ever if the server that sends the batch is lost. */
const silenceMs = 5_000;

/** Takes the messages by a callback, because the iterator of the client never ends its subscription. */
const batchGet = (bus: Bus, stream: string, query: Query): Promise<StoredMsg[]> =>
  retryRequest(bus, stream, async () => {
    const found: StoredMsg[] = [];
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const silence = setTimeout(() => reject(new Error('the server has stopped sending the batch')), silenceMs);
    const callback = (done: { err?: Error } | null, message: StoredMsg) => {
      if (!done) {
        silence.refresh();
        found.push(message);
      } else if (done.err && !isNotFound(done.err)) reject(done.err);
      else resolve();
    };
    try {
      const asked = await bus.jsm.direct.getBatch(stream, { ...query, callback } as never);
      await promise.finally(() => asked.stop());
    } finally {
      clearTimeout(silence);
    }
    return found;
  });
