import { ModelError } from './errors.ts';
import type { Roster } from './schema.ts';

/** @throws ModelError `not-yet` for a way of coordinating that the schema knows but nobody has built. Asked when a goal is dispatched. */
export function requireCoordinator(roster: Roster): 'deterministic' {
  if (roster.coordinator === 'deterministic') return roster.coordinator;
  throw new ModelError('not-yet', 'roster', `coordinator: ${roster.coordinator} is not built yet`, {
    hint: 'Set `coordinator: deterministic` in the roster.',
  });
}
