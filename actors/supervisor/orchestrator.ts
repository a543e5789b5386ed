import { CoxError } from '../../platform/errors.ts';
import type { Backends } from '../../roster/backends.ts';

/**
 * Chooses the backend that plans and reduces: the one that the task names, else the cheapest one that can orchestrate.
 * @param not names of backends that are left out.
 * @throws CoxError `no-backend` if none is left.
 */
export function orchestrator(
  backends: Pick<Backends, 'route'>,
  backend: string | null,
  not: readonly string[],
): { backend: string; why: string } {
  const route = backends.route({ needs: [], orchestrate: true, backend, not });
  if (route.backend === null)
    throw new CoxError('no-backend', `No backend can plan: ${route.why}`, {
      hint: 'See "cox menu", and change the roster.',
    });
  return route;
}
