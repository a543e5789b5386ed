import type { Backends } from '../../roster/backends.ts';

/**
 * @param mustOrchestrate the task is a goal, so its backend must be able to plan and reduce. Default: false.
 * @returns why the task cannot run on this backend; null if it can.
 */
export function swapProblem(name: string, backends: Backends, mustOrchestrate = false): string | null {
  const menu = backends.menu();
  const entry = menu.find((backend) => backend.name === name);
  if (!entry) return `there is no backend ${name}; there are ${menu.map((backend) => backend.name).join(', ')}`;
  if (mustOrchestrate && !entry.canOrchestrate) return `${name} cannot orchestrate: the roster does not say \`can_orchestrate\``;
  return entry.available ? null : `${name} is not available: ${entry.why}`;
}
