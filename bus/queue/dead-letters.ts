/**
 * Lists, retries and drops dead letters. A retry runs a task once, even if it is requested several times or is interrupted: a new
 * task is named on the letter before it is dispatched, and a sub-task is run again by a steer to its parent that always has the
 * same id.
 * Rules `dead-letter` and `attempt` (docs/task-protocol.md).
 */
import { z } from 'zod';
import { CoxError } from '../../platform/errors.ts';
import type { Crew } from '../crew.ts';
import type { DeadLetter, Receipt, TaskSpec } from '../messages.ts';
import { type Page, PageQuery, pageInTime } from '../page.ts';
import { quoted } from '../parse-message.ts';
import { publish } from '../publish.ts';
import { newRecord } from '../state/state-record.ts';
import { createState, readState, replaceState } from '../state/state-store.ts';
import { goalOf, newRoot, Root, type TaskId } from '../task-id.ts';
import { allLetters, type Filed, isLetterId, readLetter } from './dead-letter-stream.ts';
import { enqueue } from './task-queue.ts';

export type Retried =
  /** A new task runs in place of the dead one. */
  | { readonly how: 'dispatched'; readonly id: string; readonly as: TaskId }
  /** The parent runs the sub-task again; `as` is the new id once it is known. The receipt `applied` removes the letter. */
  | {
      readonly how: 'rerun';
      readonly id: string;
      readonly as: TaskId | null;
      readonly parent: TaskId;
      readonly key: string;
      /** Final receipt of the parent; null if it has not answered yet, or if it had a later attempt already. */
      readonly receipt: Receipt | null;
    };

type TaskLetter = Extract<DeadLetter, { kind: 'task' }>;

export const LetterQuery = PageQuery.extend({
  type: z.string().min(1).max(64).optional().describe('Only letters of tasks of this type.'),
  root: Root.optional().describe('Only letters of tasks of this tree: the part of their ids before the dot.'),
  since: z.iso.datetime().optional().describe('Only letters of tasks that ended then or later.'),
});
export type LetterQuery = z.infer<typeof LetterQuery>;

/** Letters that are dropped at once. */
const mostAtOnce = 64;

export class DeadLetters {
  readonly #crew: Crew;
  readonly #now: () => Date;

  constructor(crew: Crew, now: () => Date = crew.bus.now) {
    this.#crew = crew;
    this.#now = now;
  }

  /** All letters, oldest first. */
  async list(): Promise<DeadLetter[]> {
    return [...(await this.page({ limit: Number.POSITIVE_INFINITY })).rows];
  }

  /**
   * A page of the letters that fit the query, oldest first.
   * @param maxBytes most bytes that the letters may have as JSON. Default: no limit.
   * @throws CoxError `bad-cursor`.
   */
  async page(query: LetterQuery = {}, maxBytes?: number): Promise<Page<DeadLetter>> {
    const letters = (await allLetters(this.#crew.bus)).filter((letter) => fits(letter, query));
    return pageInTime(letters, query, { placeOf: ({ at, id }) => ({ at, id }), rowOf: (letter) => letter, maxBytes });
  }

  /**
   * Runs the task of a letter again. The parent of a sub-task does so if it lives; any other task is replaced by a new one.
   * @param signal ends the wait for the parent's receipt. The steer stays sent, and the letter stays.
   * @throws CoxError `unknown-letter`; `bad-letter` if the letter is for a message that was not a ticket; `stream-full`.
   */
  async retry(id: string, signal: AbortSignal): Promise<Retried> {
    for (;;) {
      const { letter, seq } = await this.#find(id);
      if (letter.kind === 'ticket')
        throw new CoxError('bad-letter', `${id} was not a ticket: there is nothing to run again`, {
          hint: `\`cox dead drop ${id}\` removes it.`,
        });
      const again = letter.retriedAs ? null : await this.#byParent(letter, signal);
      if (again) return again;
      const as = letter.retriedAs ?? (await this.#reserve(letter, seq));
      if (as === null) continue;
      await this.#dispatch(as, letter.spec);
      await this.drop(id);
      return { how: 'dispatched', id, as };
    }
  }

  /**
   * Removes a letter. The record is marked first, so that a worker that still has the ticket does not send the letter again.
   * @throws CoxError `unknown-letter`.
   */
  async drop(id: string): Promise<void> {
    await this.#remove((await this.#find(id)).letter);
  }

  async #remove(letter: DeadLetter): Promise<void> {
    const { bus } = this.#crew;
    for (;;) {
      const stored = letter.kind === 'task' ? await readState(bus, letter.id) : null;
      if (stored?.record.deadLetter !== 'kept') break;
      if (await replaceState(bus, stored, { ...stored.record, deadLetter: 'gone' })) break;
    }
    await bus.jsm.streams.purge(bus.subjects.deadStream, { filter: bus.subjects.letter(letter.id) });
  }

  /**
   * Removes letters. One that is gone already counts as removed.
   * @throws AbortError of `signal`; the letters before are removed then.
   */
  async dropAll(letters: readonly DeadLetter[], signal: AbortSignal): Promise<void> {
    for (let at = 0; at < letters.length; at += mostAtOnce) {
      signal.throwIfAborted();
      await Promise.all(letters.slice(at, at + mostAtOnce).map((letter) => this.#remove(letter)));
    }
  }

  /** Has the parent run the sub-task again. @returns null if the parent has ended, or does not have the sub-task in its plan. */
  async #byParent(letter: TaskLetter, signal: AbortSignal): Promise<Retried | null> {
    const { bus } = this.#crew;
    const { id, parent, key } = letter;
    if (parent === null || key === null) return null;
    const row = await this.#row(parent, key);
    if (!row) return null;
    const common = { how: 'rerun', id, parent, key } as const;
    // The parent has a later attempt already.
    if (row.id !== null && row.id !== id) {
      await this.drop(id);
      return { ...common, as: row.id, receipt: null };
    }
    const message = { type: 'rerun', id: `retry:${id}`, key } as const;
    const { steer } = await this.#crew.steer(parent, message);
    const receipt = await this.#finalReceipt(parent, steer, signal);
    if (receipt?.fate === 'returned') return (await this.#row(parent, key)) ? { ...common, as: null, receipt } : null;
    if (!receipt) {
      bus.log.info({ id, parent }, 'a retry waits for its parent');
      return { ...common, as: null, receipt };
    }
    await this.drop(id);
    const after = await this.#row(parent, key);
    return { ...common, as: after && after.id !== id ? after.id : null, receipt };
  }

  /**
   * Reads from the start of the parent's log, since an earlier call may have sent the steer.
   * @returns null once `signal` fires.
   */
  async #finalReceipt(parent: TaskId, steer: string, signal: AbortSignal): Promise<Receipt | null> {
    if (signal.aborted) return null;
    try {
      for await (const receipt of this.#crew.receipts(parent, { steer, seq: 0 }, signal))
        if (receipt.fate === 'applied' || receipt.fate === 'returned') return receipt;
    } catch (cause) {
      if (!signal.aborted) throw cause;
    }
    return null;
  }

  /** The row of a sub-task in the plan of its parent; null if the parent does not live or has no such row. */
  async #row(parent: TaskId, key: string): Promise<{ readonly id: TaskId | null } | null> {
    const stored = await readState(this.#crew.bus, parent);
    if (!stored || stored.record.phase === 'done' || stored.record.phase === 'unborn') return null;
    return stored.record.plan.find((row) => row.key === key) ?? null;
  }

  /**
   * Names the new task on the letter, before that task exists.
   * @returns null if somebody else has changed the letter meanwhile.
   */
  async #reserve(letter: TaskLetter, seq: number): Promise<TaskId | null> {
    const { bus } = this.#crew;
    let as = goalOf(`${newRoot(random)}.0`);
    while (await readState(bus, as)) as = goalOf(`${newRoot(random)}.0`);
    const reserved = JSON.stringify({ ...letter, retriedAs: as });
    const expected = { msgID: `${letter.id}:retried:${as}`, expect: { lastSubjectSequence: seq } };
    const written = await publish(bus, bus.subjects.letter(letter.id), reserved, expected);
    return written.ok ? as : null;
  }

  /** Like `Crew.dispatch`, but safe to repeat. A deadline that has passed is removed, since it would end the task at once. */
  async #dispatch(id: TaskId, spec: TaskSpec): Promise<void> {
    const { bus } = this.#crew;
    const now = this.#now();
    const isLate = spec.deadlineAt !== null && Date.parse(spec.deadlineAt) <= now.getTime();
    const order = isLate ? { ...spec, deadlineAt: null } : spec;
    const seal = bus.team?.seal(id, order, now);
    await createState(bus, { ...newRecord(id, order, this.#crew.name, now.toISOString()), ...(seal && { seal }) });
    await enqueue(bus, spec.type, 'pending', { id, run: 1 });
  }

  /** Reads the letter from the leader. */
  async #find(id: string): Promise<Filed> {
    const { bus } = this.#crew;
    const filed = isLetterId(id) ? await readLetter(bus, id) : null;
    if (filed) return filed;
    const ids = (await this.page({ limit: 8 })).rows.map((letter) => letter.id);
    throw new CoxError('unknown-letter', `There is no dead letter ${quoted(id)}`, {
      hint: ids.length > 0 ? `There are: ${ids.join(', ')}.` : 'There are none.',
    });
  }
}

const fits = ({ id, type, at }: DeadLetter, query: LetterQuery): boolean =>
  (query.type === undefined || type === query.type) &&
  (query.root === undefined || id.startsWith(`${query.root}.`)) &&
  (query.since === undefined || Date.parse(at) >= Date.parse(query.since));

const random = (bytes: Uint8Array) => crypto.getRandomValues(bytes);
