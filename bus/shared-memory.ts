/**
 * Notes that agents leave for other agents, in a key-value bucket of the namespace that any NATS client can read. The bucket is
 * created on first use. Notes are short and few because the models that recall them have a small context.
 */
import { DeliverPolicy } from '@nats-io/jetstream';
import { type KV, Kvm } from '@nats-io/kv';
import { z } from 'zod';
import { fitted } from '../platform/cut.ts';
import { CoxError } from '../platform/errors.ts';
import type { Bus } from './bus.ts';
import { busFull } from './capacity/backpressure.ts';
import { isOutOfStorage } from './jetstream-errors.ts';
import { scanStream } from './log/stream-scan.ts';
import { parseMessage } from './parse-message.ts';
import { copies } from './replicas.ts';
import { retryRequest } from './retry.ts';
import { doesChores } from './team/chores.ts';

export const maxKeyChars = 128;
/** The longest text of one note, in characters. */
export const maxNoteChars = 4_096;
/** The largest number of notes in a namespace. */
export const maxNotes = 1_000;
const mostRecalled = 10;

/** A NATS key without wildcards and without empty parts, so that it always names one note. */
const Key = z
  .string()
  .max(maxKeyChars)
  .regex(/^[A-Za-z0-9](?:[A-Za-z0-9_-]|\.(?=[A-Za-z0-9_-]))*$/);
const Value = z.object({ text: z.string().max(maxNoteChars), from: z.string().max(maxKeyChars) });

export interface Note {
  readonly key: string;
  readonly text: string;
  /** The author: a task id, or the name of another client. */
  readonly from: string;
  /** Time of writing in ISO 8601, by the clock of the server. */
  readonly at: string;
}

export class Memory {
  readonly #bus: Bus;
  #bucket: Promise<KV> | null = null;

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  /**
   * Stores a text under a key. It replaces an earlier text under the same key.
   * @throws CoxError `bad-key`, `bad-note`, `memory-full`, `stream-full`.
   */
  async remember(key: string, text: string, from: string): Promise<void> {
    checkKey(key);
    const value = Value.safeParse({ text, from });
    if (text.trim() === '' || !value.success)
      throw new CoxError('bad-note', `The text for ${key} has ${text.length} characters`, {
        hint: `Give 1 to ${maxNoteChars} characters; put longer texts into a file.`,
      });
    const bucket = await this.#open();
    const isNew = (await this.#retry(() => bucket.get(key))) === null;
    if (isNew && (await this.#retry(() => bucket.status())).values >= maxNotes)
      throw new CoxError('memory-full', `The memory already contains ${maxNotes} notes`, {
        hint: 'Overwrite an existing key, or forget some notes.',
      });
    await this.#retry(() => bucket.put(key, JSON.stringify(value.data)));
  }

  /**
   * Finds notes whose key or text has words of the query, best match first. For a query without words, the newest notes.
   * @param limit number of notes; default and maximum: 10.
   */
  async recall(query: string, limit = mostRecalled): Promise<Note[]> {
    const words = wordsOf(query);
    const phrase = query.trim().toLowerCase();
    const scored = (await this.#notes()).map((note) => ({ note, score: scoreOf(note, words, phrase) }));
    return scored
      .filter(({ score }) => score > 0 || words.length === 0)
      .sort((a, b) => b.score - a.score || (a.note.at < b.note.at ? 1 : -1))
      .slice(0, Math.min(limit, mostRecalled))
      .map(({ note }) => note);
  }

  /** Removes a note. @returns whether it existed. @throws CoxError `bad-key`. */
  async forget(key: string): Promise<boolean> {
    checkKey(key);
    const bucket = await this.#open();
    const isThere = (await this.#retry(() => bucket.get(key))) !== null;
    // Purged instead of deleted: a delete marker would count as a note for ever.
    const { memoryBucket } = this.#bus.subjects;
    const filter = `$KV.${memoryBucket}.${key}`;
    await this.#retry(() => this.#bus.jsm.streams.purge(`KV_${memoryBucket}`, { filter }));
    return isThere;
  }

  async #notes(): Promise<Note[]> {
    await this.#open();
    const notes: Note[] = [];
    const { memoryBucket } = this.#bus.subjects;
    const prefix = `$KV.${memoryBucket}.`;
    const options = { filter_subjects: [`${prefix}>`], deliver_policy: DeliverPolicy.LastPerSubject };
    // The client's own reading of a bucket leaves a consumer on the server for five minutes.
    await scanStream(this.#bus, `KV_${memoryBucket}`, options, ({ subject, data, time }) => {
      // The marker of a deleted note has no text.
      const note = data.length > 0 ? parse(data) : null;
      if (note) notes.push({ key: subject.slice(prefix.length), ...note, at: time.toISOString() });
    });
    return notes;
  }

  #open(): Promise<KV> {
    this.#bucket ??= this.#retry(() => openMemoryBucket(this.#bus)).catch((cause) => {
      this.#bucket = null;
      throw cause;
    });
    return this.#bucket;
  }

  /** @throws CoxError `stream-full` if the bus is full. */
  #retry<T>(request: () => Promise<T>): Promise<T> {
    return retryRequest(this.#bus, 'memory', request).catch((cause: unknown) => {
      throw isOutOfStorage(cause) ? busFull('the memory', cause) : cause;
    });
  }
}

/** Creates the bucket if it is missing. */
export async function openMemoryBucket(bus: Bus): Promise<KV> {
  const buckets = new Kvm(bus.js);
  const { memoryBucket } = bus.subjects;
  if (!doesChores(bus)) return buckets.open(memoryBucket);
  return buckets.create(memoryBucket, {
    description: 'Notes that agents leave for other agents',
    history: 1,
    replicas: await copies(bus),
    // Direct reads go to any copy, which may not have a note yet that an agent has just written.
    allow_direct: false,
    // JSON may escape one character of a text as six.
    maxValueSize: 8 * maxNoteChars,
  });
}

function checkKey(key: string): void {
  if (!Key.safeParse(key).success)
    throw new CoxError('bad-key', `"${fitted(key, maxKeyChars)}" cannot be a key of the memory`, {
      hint: `Use letters, digits, -, _ and single dots, at most ${maxKeyChars}: work-email.`,
    });
}

/** @returns null for a value that is not a note: any client may write to the bucket. */
const parse = (value: Uint8Array) => parseMessage(Value, value);

const wordsOf = (text: string): string[] => [...new Set(text.toLowerCase().match(/[\p{L}\p{N}]{2,}/gu) ?? [])];

/**
 * Scores a note by the words of a query: 2 for each word that matches in the key, 1 in the text, 5 if the note contains the whole
 * phrase. A word of the query matches each word of the note that begins with it ("mail" finds "mails"), and each word of at least
 * 4 characters that it begins with ("emails" finds "email").
 */
function scoreOf({ key, text }: Note, words: readonly string[], phrase: string): number {
  const inKey = wordsOf(key);
  const inText = wordsOf(text);
  const alike = (a: string) => (b: string) => b.startsWith(a) || (b.length > 3 && a.startsWith(b));
  const byWords = words.reduce((sum, word) => sum + (inKey.some(alike(word)) ? 2 : 0) + (inText.some(alike(word)) ? 1 : 0), 0);
  const whole = `${key}\n${text}`.toLowerCase();
  return byWords + (phrase.length > 2 && whole.includes(phrase) ? 5 : 0);
}
