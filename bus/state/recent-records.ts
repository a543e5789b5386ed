/**
 * What this process knows of state records without asking, since it has written or read them a moment ago: a goal and its sub-tasks are often
 * on one node. A result stands for ever (D); of a plan only a fresh view is believed, and whoever may have an effect looks again
 * (docs/adr/0017).
 */
import { parentOf, type TaskId } from '../task-id.ts';
import type { StateRecord } from './state-record.ts';

/** How long a view of a plan is fresh, in milliseconds: far less than the age at which anything is purged. */
const freshMs = 1_000;
const mostPlans = 1_000;
/** With `mostEndedChars` they take up some tens of MB at worst. */
const mostEnded = 2_000;
/** As JSON: longer ones are read again. */
const mostEndedChars = 16_384;

export class RecentRecords {
  readonly #plans = new Map<TaskId, { readonly children: number; readonly at: number }>();
  readonly #ended = new Map<TaskId, StateRecord>();

  /** @param at by `performance.now()`, before the record was written or asked for. */
  noteRead(record: StateRecord, at: number): void {
    const { id, phase, children } = record;
    this.#plans.delete(id);
    if (phase !== 'done' && children > 0) put(this.#plans, id, { children, at }, mostPlans);
  }

  /** A record as this process has committed it. @param chars how long it is as JSON. */
  noteWritten(record: StateRecord, chars: number, at: number): void {
    this.noteRead(record, at);
    const { id, phase } = record;
    if (phase === 'done' && chars <= mostEndedChars && parentOf(id) !== null) put(this.#ended, id, record, mostEnded);
  }

  /** How many sub-tasks a supervisor had committed to just now; null where nothing fresh is known. */
  plannedChildren(id: TaskId): number | null {
    const seen = this.#plans.get(id);
    return seen && performance.now() - seen.at < freshMs ? seen.children : null;
  }

  /** The record of a sub-task that was ended here. Told once. */
  takeEnded(id: TaskId): StateRecord | null {
    const record = this.#ended.get(id) ?? null;
    this.#ended.delete(id);
    return record;
  }
}

/** The oldest makes room. */
function put<T>(map: Map<TaskId, T>, id: TaskId, value: T, most: number): void {
  map.set(id, value);
  if (map.size > most) map.delete(map.keys().next().value!);
}
