import type { Backends } from '../roster/backends.ts';

/** Why a task cannot be put on this backend; null where it can. */
export function swapProblem(name: string, backends: Backends): string | null {
  const menu = backends.menu();
  const entry = menu.find((backend) => backend.name === name);
  if (!entry) return `there is no backend ${name}; there are ${menu.map((backend) => backend.name).join(', ')}`;
  return entry.available ? null : `${name} is not available: ${entry.why}`;
}
