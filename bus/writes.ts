/**
 * Writes to one stream in the same tick of the event loop are sent together: many as one atomic batch, which the server stores
 * and acknowledges as a whole, few as concurrent single publishes. Each write keeps its own expected sequence. If one of them
 * does not match, the server refuses the whole batch. Each write is then sent alone, with its expected sequence or its message
 * id, so a batch whose acknowledgement was lost is not stored twice.
 * Rule `batch` (docs/task-protocol.md).
 */
import type { JetStreamClient, JetStreamPublishOptions } from '@nats-io/jetstream';
import { type MsgHdrs, MsgHdrsImpl, type NatsConnection, nuid } from '@nats-io/nats-core';
import { unlessReconnected } from './retry.ts';
import type { Tick } from './tick.ts';

export type WriteOptions = Partial<Pick<JetStreamPublishOptions, 'msgID' | 'expect' | 'headers'>> & {
  /** Whether a later write to the same subject must be stored later. Default: true, unless the write expects a last sequence. */
  readonly ordered?: boolean;
};
/** The acknowledgement of the server: the stream sequence, and whether a message with the same id was already stored. */
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

/**
 * Least size of a batch. The server syncs a batch to disk but not single messages, so fewer are faster alone
 * (docs/performance.md).
 */
const fewestInBatch = 24;
/** The server accepts no larger batch. */
const mostInBatch = 1_000;
const mostBytesInBatch = 8 * 2 ** 20;
/** If a batch is not answered within this time (ms), its messages are sent alone. */
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

  /** @throws the error of the server for this message; an error if the connection is lost and restored meanwhile. */
  send(stream: string, subject: string, payload: string | Uint8Array, options: WriteOptions): Promise<Written> {
    return new Promise((resolve) => {
      // The order of ordered writes to a subject is the order in which they are sent, so they do not wait for the end of the
      // tick.
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
   * Sends a batch without the batch API of the client, which waits for an answer to the first message before it sends the others.
   * @returns the stream sequence of the last message; null if the server does not confirm that it has stored all of them.
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
      // Lost connection or no answer: sending each message alone shows whether it was stored.
    }
    return null;
  }
}

const expects = ({ expect }: WriteOptions): boolean => expect?.lastSubjectSequence !== undefined;

function headersOf({ options: { msgID, expect, headers } }: Write, place: Record<string, string[]>): MsgHdrs {
  const lastSubjectSequence = expect?.lastSubjectSequence;
  return MsgHdrsImpl.fromRecord({
    ...(headers && Object.fromEntries(headers.keys().map((key) => [key, headers.values(key)]))),
    ...(msgID && { 'Nats-Msg-Id': [msgID] }),
    ...(lastSubjectSequence !== undefined && { 'Nats-Expected-Last-Subject-Sequence': [String(lastSubjectSequence)] }),
    ...place,
  });
}

/**
 * The server allows one expected sequence for a subject in a batch, so a second write to the same subject begins the next batch.
 */
function inBatches(writes: readonly Write[]): Write[][] {
  const batches: Write[][] = [];
  let [bytes, subjects] = [0, new Set<string>()];
  for (const write of writes) {
    const length = Buffer.byteLength(write.payload);
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
