/**
 * Writes of one turn of the event loop go to their stream together: many as one atomic batch, which the server stores and acknowledges as one,
 * few side by side. Each keeps its own expectation. A batch in which one does not hold is refused as a whole; then each is sent alone, with
 * its expectation or its message id, so a batch whose acknowledgement was lost is not stored twice.
 * Rule `batch` (docs/task-protocol.md).
 */
import type { JetStreamClient, JetStreamPublishOptions } from '@nats-io/jetstream';
import { type MsgHdrs, MsgHdrsImpl, type NatsConnection, nuid } from '@nats-io/nats-core';
import { unlessReconnected } from './retry.ts';
import type { Tick } from './tick.ts';

export type WriteOptions = Partial<Pick<JetStreamPublishOptions, 'msgID' | 'expect'>> & {
  /** Whether a write to the same subject that comes later must be stored later. Default: yes, unless it expects something. */
  readonly ordered?: boolean;
};
export interface Written {
  readonly seq: number;
  readonly duplicate: boolean;
}
interface Write {
  readonly subject: string;
  readonly payload: string | Uint8Array;
  readonly options: WriteOptions;
  readonly resolve: (written: Written | Promise<Written>) => void;
}

/** An atomic batch is synced to disk, single messages are not: below this many they are faster (docs/performance.md). */
const fewestInBatch = 24;
/** The server takes no more. */
const mostInBatch = 1_000;
const mostBytesInBatch = 8 * 2 ** 20;
/** So long a batch may stay unanswered before its messages are sent alone. */
const answerMs = 5_000;

export class Writes {
  readonly #nc: NatsConnection;
  readonly #js: JetStreamClient;
  readonly #tick: Tick;
  readonly #waiting = new Map<string, Write[]>();

  constructor(nc: NatsConnection, js: JetStreamClient, tick: Tick) {
    this.#nc = nc;
    this.#js = js;
    this.#tick = tick;
  }

  /** @throws what the server answers to this message alone; that the connection was lost meanwhile. */
  send(stream: string, subject: string, payload: string | Uint8Array, options: WriteOptions): Promise<Written> {
    return new Promise((resolve) => {
      // Nothing but the order in which they are sent says which of two such writes to a subject comes first: none waits for a batch.
      const { ordered = !expects(options) } = options;
      const write = { subject, payload, options, resolve };
      if (ordered) return resolve(this.#alone(write));
      const waiting = this.#waiting.get(stream);
      if (waiting) return void waiting.push(write);
      this.#waiting.set(stream, [write]);
      this.#tick.atEnd(() => this.#flush(stream));
    });
  }

  #flush(stream: string): void {
    const writes = this.#waiting.get(stream)!;
    this.#waiting.delete(stream);
    for (const batch of inBatches(writes)) {
      if (batch.length < fewestInBatch) for (const write of batch) write.resolve(this.#alone(write));
      else void this.#together(batch);
    }
  }

  #alone({ subject, payload, options }: Write): Promise<Written> {
    return unlessReconnected(this.#nc, this.#js.publish(subject, payload, options));
  }

  async #together(writes: readonly Write[]): Promise<void> {
    const seq = await this.#stored(writes);
    if (seq === null) for (const write of writes) write.resolve(this.#alone(write));
    else for (const [i, { resolve }] of writes.entries()) resolve({ seq: seq - writes.length + i + 1, duplicate: false });
  }

  /**
   * The client's own batch waits for an answer to the first message before it sends the others, and spells every header anew.
   * @returns the sequence of the last one; null where the server does not say that it has all of them.
   */
  async #stored(writes: readonly Write[]): Promise<number | null> {
    const batch = nuid.next();
    try {
      for (const [i, write] of writes.entries()) {
        const { subject, payload } = write;
        const place = { 'Nats-Batch-Id': [batch], 'Nats-Batch-Sequence': [String(i + 1)] };
        if (i + 1 < writes.length) this.#nc.publish(subject, payload, { headers: headersOf(write, place) });
        else {
          const commit = headersOf(write, { ...place, 'Nats-Batch-Commit': ['1'] });
          const answer = await unlessReconnected(
            this.#nc,
            this.#nc.request(subject, payload, { headers: commit, timeout: answerMs }),
          );
          const { seq, count } = answer.json<{ seq?: number; count?: number }>();
          return seq !== undefined && count === writes.length ? seq : null;
        }
      }
    } catch {
      // The connection, or no answer: what became of it is found out one by one.
    }
    return null;
  }
}

const expects = ({ expect }: WriteOptions): boolean => expect?.lastSubjectSequence !== undefined;

function headersOf({ options: { msgID, expect } }: Write, place: Record<string, string[]>): MsgHdrs {
  const lastSubjectSequence = expect?.lastSubjectSequence;
  return MsgHdrsImpl.fromRecord({
    ...(msgID && { 'Nats-Msg-Id': [msgID] }),
    ...(lastSubjectSequence !== undefined && { 'Nats-Expected-Last-Subject-Sequence': [String(lastSubjectSequence)] }),
    ...place,
  });
}

/** A subject has one expectation in a batch: a second write to it begins the next one. */
function inBatches(writes: readonly Write[]): Write[][] {
  const batches: Write[][] = [];
  let [bytes, subjects] = [0, new Set<string>()];
  for (const write of writes) {
    const { length } = write.payload;
    const batch = batches.at(-1);
    const isSecond = expects(write.options) && subjects.has(write.subject);
    if (!batch || batch.length === mostInBatch || bytes + length > mostBytesInBatch || isSecond) {
      [bytes, subjects] = [0, new Set()];
      batches.push([write]);
    } else batch.push(write);
    bytes += length;
    subjects.add(write.subject);
  }
  return batches;
}
