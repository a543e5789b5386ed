/**
 * Writes of one turn of the event loop go to their stream together: many as one atomic batch, which the server stores and acknowledges as one,
 * few side by side. Each keeps its own expectation. A batch in which one does not hold is refused as a whole; then each is sent alone, with
 * its expectation or its message id, so a batch whose acknowledgement was lost is not stored twice.
 */
import type { JetStreamClient, JetStreamPublishOptions } from '@nats-io/jetstream';
import { headers, type MsgHdrs } from '@nats-io/nats-core';
import type { Turn } from './turn.ts';

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

export class Writes {
  readonly #js: JetStreamClient;
  readonly #turn: Turn;
  readonly #waiting = new Map<string, Write[]>();

  constructor(js: JetStreamClient, turn: Turn) {
    this.#js = js;
    this.#turn = turn;
  }

  /** @throws what the server answers to this message alone. */
  send(stream: string, subject: string, payload: string | Uint8Array, options: WriteOptions): Promise<Written> {
    return new Promise((resolve) => {
      // Nothing but the order in which they are sent says which of two such writes to a subject comes first: none waits for a batch.
      const { ordered = !expects(options) } = options;
      if (ordered) return resolve(this.#js.publish(subject, payload, options));
      const waiting = this.#waiting.get(stream);
      if (waiting) return void waiting.push({ subject, payload, options, resolve });
      this.#waiting.set(stream, [{ subject, payload, options, resolve }]);
      this.#turn.atEnd(() => this.#flush(stream));
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
    return this.#js.publish(subject, payload, options);
  }

  async #together(writes: readonly Write[]): Promise<void> {
    try {
      const [first, ...rest] = writes as [Write, ...Write[]];
      const last = rest.pop()!;
      const batch = await this.#js.startBatch(first.subject, first.payload, { headers: headersOf(first) });
      for (const write of rest) batch.add(write.subject, write.payload, { ack: false, headers: headersOf(write) });
      const { seq } = await batch.commit(last.subject, last.payload, { headers: headersOf(last) });
      const before = seq - writes.length;
      for (const [i, { resolve }] of writes.entries()) resolve({ seq: before + i + 1, duplicate: false });
    } catch {
      for (const write of writes) write.resolve(this.#alone(write));
    }
  }
}

const expects = ({ expect }: WriteOptions): boolean => expect?.lastSubjectSequence !== undefined;

function headersOf({ options: { msgID, expect } }: Write): MsgHdrs {
  const all = headers();
  const lastSubjectSequence = expect?.lastSubjectSequence;
  if (msgID) all.set('Nats-Msg-Id', msgID);
  if (lastSubjectSequence !== undefined) all.set('Nats-Expected-Last-Subject-Sequence', String(lastSubjectSequence));
  return all;
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
