/**
 * Keeps state records that this process has written or read a moment ago. A goal and its sub-tasks often run on one node, so this
 * saves reads. A result never changes (D) and is valid at any age. A plan is believed only while it is fresh, and it is read
 * again before any effect (docs/adr/0017).
 */
import { parentOf, type TaskId } from '../task-id.ts';
import type { StateRecord } from './state-record.ts';

/** How long a view of a plan is fresh, in ms: far less than the age at which anything is purged. */
const freshMs = 1_000;
const mostPlans = 1_000;
/** Together with `mostEndedChars` this limits the memory to some tens of MB. */
const mostEnded = 2_000;
/** Length of a record as JSON, in characters, above which it is not kept. */
const mostEndedChars = 16_384;

export class RecentRecords {
  readonly #plans = new Map<TaskId, { readonly children: number; readonly at: number }>();
  readonly #ended = new Map<TaskId, StateRecord>();

  /** @param at `performance.now()` from before the record was written or requested. */
  noteRead(record: StateRecord, at: number): void {
    const { id, phase, children } = record;
    this.#plans.delete(id);
    if (phase !== 'done' && children > 0) put(this.#plans, id, { children, at }, mostPlans);
  }

  /** Notes a record that this process has committed. @param chars length of the record as JSON. */
  noteWritten(record: StateRecord, chars: number, at: number): void {
    this.noteRead(record, at);
    const { id, phase } = record;
    if (phase === 'done' && chars <= mostEndedChars && parentOf(id) !== null) put(this.#ended, id, record, mostEnded);
  }

  /** Number of sub-tasks that a supervisor has committed; null if no view of its plan is fresh. */
  plannedChildren(id: TaskId): number | null {
    const seen = this.#plans.get(id);
    return seen && performance.now() - seen.at < freshMs ? seen.children : null;
  }

  /** The record of a sub-task that this process has ended, or null. Each record is returned only once. */
  takeEnded(id: TaskId): StateRecord | null {
    const record = this.#ended.get(id) ?? null;
    this.#ended.delete(id);
    return record;
  }
}

/** Adds a value; removes the oldest one if there are more than `most`. */
function put<T>(map: Map<TaskId, T>, id: TaskId, value: T, most: number): void {
  map.set(id, value);
  if (map.size > most) map.delete(map.keys().next().value!);
}
