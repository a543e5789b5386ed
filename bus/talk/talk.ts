/**
 * The stored talk between operators and primary agents: one record for each line, on a stream of its own that drops its oldest
 * records when it is full. The records are never a source of task state: only the records of tasks are that.
 * A. Every write of a line is a compare-and-set on its last record, so a line has one holder at a time.
 */
import { randomUUID } from 'node:crypto';
import type { JsMsg } from '@nats-io/jetstream';
import type { Bus } from '../bus.ts';
import { lastMessage } from '../leader-reads.ts';
import { follow } from '../log/follow.ts';
import { scanStream } from '../log/stream-scan.ts';
import { TalkLine } from '../messages.ts';
import { parseMessage } from '../parse-message.ts';
import { publish } from '../publish.ts';
import { retryRequest } from '../retry.ts';

/** A line with the sequence of its record in the stream. */
export interface StoredLine {
  readonly line: TalkLine;
  readonly seq: number;
}

export class Talk {
  readonly #bus: Bus;

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  /**
   * Writes the record of a line after the one at `seq`; 0 for a new line.
   * @returns null if somebody else has written the line meanwhile.
   * @throws CoxError `stream-full`, `message-too-big`, `bus-closed`.
   */
  async write(line: TalkLine, seq: number): Promise<StoredLine | null> {
    const subject = this.#bus.subjects.talk(line.id);
    const written = { ...line, write: randomUUID() };
    const sent = await publish(this.#bus, subject, JSON.stringify(written), { expect: { lastSubjectSequence: seq } });
    if (sent.ok) return { line: written, seq: sent.seq };
    // The conflict may be with our own write: it was stored, its reply was lost, and it was sent again.
    const there = await lastMessage(this.#bus, this.#bus.subjects.talkStream, subject);
    const known = there && parseMessage(TalkLine, there.data);
    return there && known?.write === written.write ? { line: known, seq: there.seq } : null;
  }

  /** The last records of all lines, in the order in which the lines were said. */
  async lines(signal?: AbortSignal): Promise<StoredLine[]> {
    const found = new Map<string, StoredLine>();
    const take = (message: JsMsg) => {
      const stored = storedOf(message);
      if (stored) found.set(stored.line.id, stored);
    };
    await scanStream(this.#bus, this.#bus.subjects.talkStream, {}, take, signal);
    return [...found.values()].sort((a, b) => (a.line.at < b.line.at ? -1 : a.line.at > b.line.at ? 1 : a.seq - b.seq));
  }

  /** Yields each record that is written after sequence `after`. Ends when `signal` fires or the connection is closed. */
  async *follow(after: number, signal: AbortSignal): AsyncGenerator<StoredLine> {
    const { subjects } = this.#bus;
    for await (const message of follow(this.#bus, subjects.talkStream, [subjects.everyTalk()], after + 1, signal)) {
      const stored = storedOf(message);
      if (stored) yield stored;
    }
  }

  /** Sequence of the last record of the stream. */
  async lastSeq(): Promise<number> {
    const { jsm, subjects } = this.#bus;
    return (await retryRequest(this.#bus, 'the talk', () => jsm.streams.info(subjects.talkStream))).state.last_seq;
  }
}

/** Null for a message that is not a line: any client may publish anything. */
function storedOf({ data, seq }: JsMsg): StoredLine | null {
  const line = parseMessage(TalkLine, data);
  return line && { line, seq };
}
