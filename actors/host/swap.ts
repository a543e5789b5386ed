import type { Backends } from '../../roster/backends.ts';

/**
 * Why a task cannot be put on this backend; null where it can.
 * @param mustOrchestrate it is to plan and reduce: on any other backend the goal would only ask for help.
 */
export function swapProblem(name: string, backends: Backends, mustOrchestrate = false): string | null {
  const menu = backends.menu();
  const entry = menu.find((backend) => backend.name === name);
  if (!entry) return `there is no backend ${name}; there are ${menu.map((backend) => backend.name).join(', ')}`;
  if (mustOrchestrate && !entry.canOrchestrate) return `${name} cannot orchestrate: the roster does not say \`can_orchestrate\``;
  return entry.available ? null : `${name} is not available: ${entry.why}`;
}
