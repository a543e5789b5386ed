/**
 * What is known here of supervisors whose sub-tasks are claimed: many are, and a plan may be long. A view a moment old decides only whether a
 * sub-task is looked at: before it may have an effect, its claim looks up for itself (docs/adr/0017).
 */
import type { Bus } from '../bus.ts';
import { ordinalOf, parentOf, type TaskId } from '../task-id.ts';
import { readState } from './state-record.ts';

/** A child exists once its number is in its parent's committed count. */
export async function isPlanned(bus: Bus, id: TaskId): Promise<boolean> {
  const parent = parentOf(id);
  return parent !== null && ordinalOf(id) <= ((await plannedBelow(bus, parent)) ?? 0);
}

/** How many sub-tasks a supervisor has committed to; null where it has ended or is not there. */
async function plannedBelow(bus: Bus, id: TaskId): Promise<number | null> {
  const held = await readState(bus, id);
  return !held || held.record.phase === 'done' ? null : held.record.children;
}

/** Far less than the age at which anything is purged. */
const freshMs = 1_000;
const mostKept = 1_000;

export class Parents {
  readonly #bus: Bus;
  readonly #live = new Map<TaskId, { readonly children: number; readonly at: number }>();

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  /** As the function of that name; only a yes is remembered. */
  async isPlanned(id: TaskId): Promise<boolean> {
    const parent = parentOf(id);
    if (parent === null) return false;
    const seen = this.#live.get(parent);
    if (seen && performance.now() - seen.at < freshMs && ordinalOf(id) <= seen.children) return true;
    const at = performance.now();
    const children = await plannedBelow(this.#bus, parent);
    this.#live.delete(parent);
    if (children === null) return false;
    this.#live.set(parent, { children, at });
    if (this.#live.size > mostKept) this.#live.delete(this.#live.keys().next().value!);
    return ordinalOf(id) <= children;
  }
}
