/**
 * What is known here of supervisors whose sub-tasks are claimed: many are, and a plan may be long. A view a moment old decides only whether a
 * sub-task is looked at: before it may have an effect, its claim looks up for itself (docs/adr/0017).
 */
import type { Bus } from '../bus.ts';
import { ordinalOf, parentOf, type TaskId } from '../task-id.ts';
import { readState } from './state-record.ts';

/** Far less than the age at which anything is purged. */
const freshMs = 1_000;
const mostKept = 1_000;

export class Parents {
  readonly #bus: Bus;
  readonly #live = new Map<TaskId, { readonly children: number; readonly at: number }>();

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  /** A child exists once its number is in its parent's committed count. Only a yes is remembered. */
  async isPlanned(id: TaskId): Promise<boolean> {
    const parent = parentOf(id);
    if (parent === null) return false;
    const seen = this.#live.get(parent);
    if (seen && performance.now() - seen.at < freshMs && ordinalOf(id) <= seen.children) return true;
    const at = performance.now();
    const above = await readState(this.#bus, parent);
    this.#live.delete(parent);
    if (!above || above.record.phase === 'done') return false;
    const { children } = above.record;
    this.#live.set(parent, { children, at });
    if (this.#live.size > mostKept) this.#live.delete(this.#live.keys().next().value!);
    return ordinalOf(id) <= children;
  }
}
