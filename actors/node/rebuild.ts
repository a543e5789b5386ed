/** Builds the requests of steps again, of agents and of goals, for a node and for a process that hosts none. */
import type { Rebuild } from '../../bus/journal/journal.ts';
import { type RebuildOptions, rebuilding } from '../sub-agent/rebuild.ts';
import { type RebuildGoalOptions, rebuildGoal } from '../supervisor/rebuild.ts';

export function rebuilder(agents: RebuildOptions, goals: RebuildGoalOptions): Rebuild {
  const ofAgent = rebuilding(agents);
  return (record, step, told) =>
    record.spec.type === 'supervisor' ? rebuildGoal(goals, record, step) : ofAgent(record, step, told);
}
