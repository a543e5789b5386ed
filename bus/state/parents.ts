/**
 * Tells whether a sub-task is planned: its number is within its parent's committed count, and the parent has not ended.
 * Rule `planned-child` (docs/task-protocol.md).
 */
import type { Bus } from '../bus.ts';
import { ordinalOf, parentOf, type TaskId } from '../task-id.ts';
import { readState } from './state-store.ts';

export async function isPlanned(bus: Bus, id: TaskId): Promise<boolean> {
  const parent = parentOf(id);
  if (parent === null) return false;
  const at = performance.now();
  const stored = await readState(bus, parent);
  if (stored) bus.recentRecords.noteRead(stored.record, at);
  return stored !== null && stored.record.phase !== 'done' && ordinalOf(id) <= stored.record.children;
}

/**
 * Like `isPlanned`, but it believes a view of the parent that is at most 1 s old: many sub-tasks are claimed at once, and a plan
 * may be long to read. This decides only whether a sub-task is looked at; its claim reads the parent itself before any effect
 * (docs/adr/0017).
 */
export async function wasJustPlanned(bus: Bus, id: TaskId): Promise<boolean> {
  const parent = parentOf(id);
  const planned = parent === null ? null : bus.recentRecords.plannedChildren(parent);
  return (planned !== null && ordinalOf(id) <= planned) || isPlanned(bus, id);
}
