import { ModelError } from './errors.ts';
import type { Roster } from './schema.ts';

/**
 * Checks the roster's `coordinator` when a goal is dispatched.
 * @throws ModelError `not-yet` for a coordinator that the schema accepts but that is not built.
 */
export function requireCoordinator(roster: Roster): 'deterministic' {
  if (roster.coordinator === 'deterministic') return roster.coordinator;
  throw new ModelError('not-yet', 'roster', `coordinator: ${roster.coordinator} is not built yet`, {
    hint: 'Set `coordinator: deterministic` in the roster.',
  });
}
