/**
 * The stored talk of one primary agent. Lines are answered at once and stored meanwhile, so that the operator can talk while the
 * bus is away. Only an act waits for the store: its record is the claim to the line.
 */

import type { Bus } from '../../bus/bus.ts';
import { maxTalkReplyChars, type TalkLine } from '../../bus/messages.ts';
import { allNodes } from '../../bus/nodes.ts';
import { pause } from '../../bus/pause.ts';
import { type StoredLine, Talk } from '../../bus/talk/talk.ts';
import type { Message } from '../../machines/conversation.ts';
import type { Line } from '../../machines/primary-context.ts';
import { fitted } from '../../platform/cut.ts';
import type { Log } from '../../platform/log.ts';

export type Said = TalkLine['replies'][number];

export interface StoredTalkOptions {
  readonly bus: Bus;
  /** Name of this client. A node of this name answers `cox.api.nodes` while the client lives. */
  readonly name: string;
  readonly log: Log;
}

/** When the primary stops, records that are not stored yet may take this long, in ms. */
const flushMs = 3_000;
/** How many ended lines a primary is told at its start. */
const mostRecalled = 40;
const mostReplies = 16;
const mostOwn = 10_000;

export class StoredTalk {
  readonly #options: StoredTalkOptions;
  readonly #talk: Talk;
  /** Writes of each line, one after the other. Null: the line is another client's now, or could not be stored. */
  readonly #writes = new Map<string, Promise<StoredLine | null>>();
  /** Lines for which tools may have acted. */
  readonly #claimed = new Set<string>();
  /** Ids of lines that were said or taken over here. Their records come back late, some after the line has ended. */
  readonly #own = new Set<string>();
  /** Lines that another client has taken over. */
  readonly #lost = new Set<string>();

  constructor(options: StoredTalkOptions) {
    this.#options = options;
    this.#talk = new Talk(options.bus);
  }

  /** Stores a new line. */
  say(line: Line, first: boolean): void {
    const { bus, name } = this.#options;
    this.#keep(line.id);
    const record = { ...line, first, by: name, at: bus.now().toISOString(), state: 'waiting' as const, replies: [] };
    this.#queue(line.id, Promise.resolve({ line: record, seq: 0 }), {});
  }

  began(line: Line): void {
    this.#change(line.id, { state: 'held' });
  }

  ended(line: Line, how: 'answered' | 'interrupted' | 'failed', said: readonly Said[]): void {
    const replies = said.slice(-mostReplies).map(({ by, text }) => ({ by, text: clipped(text) }));
    void this.#change(line.id, { state: how, replies }).then(() => {
      this.#writes.delete(line.id);
      this.#claimed.delete(line.id);
    });
  }

  /** Claims the line for an act. @returns false if another client has taken it over: then nothing may be done for it here. */
  async claim(line: Line): Promise<boolean> {
    if (!this.#claimed.has(line.id)) await this.#change(line.id, { state: 'acting' });
    this.#claimed.add(line.id);
    return !this.#lost.has(line.id);
  }

  /** The lines of the talk that have ended, oldest first, and the sequence after which news begin. */
  async recall(): Promise<{ ended: TalkLine[]; open: StoredLine[]; seq: number }> {
    const seq = await this.#talk.lastSeq();
    const all = (await this.#talk.lines()).filter(({ line }) => !this.#writes.has(line.id));
    const ended = all.filter(({ line }) => hasEnded(line)).map(({ line }) => line);
    return { ended: ended.slice(-mostRecalled), open: all.filter(({ line }) => !hasEnded(line)), seq };
  }

  /** Takes over the lines whose client has left. A line that may have been acted on is ended and not answered again. */
  async takeOver(open: readonly StoredLine[]): Promise<{ again: TalkLine[]; given: TalkLine[] }> {
    const { bus, name } = this.#options;
    if (open.length === 0) return { again: [], given: [] };
    const living = new Set((await allNodes(bus)).map((node) => node.name));
    const again: TalkLine[] = [];
    const given: TalkLine[] = [];
    for (const { line, seq } of open) {
      if (living.has(line.by)) continue;
      const mayHaveActed = line.state === 'acting';
      this.#keep(line.id);
      const taken = await this.#talk.write({ ...line, by: name, state: mayHaveActed ? 'interrupted' : 'waiting' }, seq);
      if (!taken) continue;
      this.#writes.set(line.id, Promise.resolve(taken));
      (mayHaveActed ? given : again).push(taken.line);
    }
    return { again, given };
  }

  /** Yields what other clients write; `isForUs`: a new line that a client, such as a console, says to this primary. */
  async *others(after: number, signal: AbortSignal): AsyncGenerator<{ line: TalkLine; isForUs: boolean }> {
    for await (const stored of this.#talk.follow(after, signal)) {
      const { line } = stored;
      if (line.by !== this.#options.name) yield { line, isForUs: false };
      else if (line.state === 'waiting' && !this.#own.has(line.id)) {
        this.#keep(line.id);
        this.#writes.set(line.id, Promise.resolve(stored));
        yield { line, isForUs: true };
      }
    }
  }

  #keep(id: string): void {
    this.#own.add(id);
    if (this.#own.size > mostOwn) this.#own.delete(this.#own.values().next().value!);
  }

  /** Resolves when all records are stored, or after a while. */
  async flush(): Promise<void> {
    const late = new AbortController();
    const written = Promise.all(this.#writes.values()).then(() => {});
    await Promise.race([written, pause(flushMs, late.signal).catch(() => {})]).finally(() => late.abort());
  }

  #change(id: string, change: Partial<TalkLine>): Promise<StoredLine | null> {
    return this.#queue(id, this.#writes.get(id) ?? Promise.resolve(null), change);
  }

  #queue(id: string, before: Promise<StoredLine | null>, change: Partial<TalkLine>): Promise<StoredLine | null> {
    const { log } = this.#options;
    const next = before.then(async (stored) => {
      if (!stored) return null;
      const written = await this.#talk.write({ ...stored.line, ...change }, stored.seq);
      if (!written) this.#lost.add(id);
      return written;
    });
    const kept = next.catch((err) => {
      log.warn({ err, line: id }, 'a line of the talk could not be stored');
      return null;
    });
    this.#writes.set(id, kept);
    return kept;
  }
}

const clipped = (text: string): string => fitted(text, maxTalkReplyChars).toWellFormed();

export const hasEnded = ({ state }: TalkLine): boolean => state === 'answered' || state === 'interrupted' || state === 'failed';

/** A line that has ended, as a part of a conversation. */
export const asMessages = ({ text, replies, state }: TalkLine): Message[] => [
  { role: 'user', text },
  {
    role: 'assistant',
    text: replies.map((reply) => reply.text).join('\n') || (state === 'interrupted' ? 'Stopped.' : '(no answer)'),
  },
];
