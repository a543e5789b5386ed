/**
 * Processor time of a process and all its descendants. Unlike elapsed time it hardly depends on the machine's other load. Linux
 * only.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** The kernel counts in hundredths of a second. */
const usPerTick = 10_000;

interface Usage {
  readonly parent: number;
  readonly ticks: number;
}

/**
 * @returns Microseconds so far; null where the system does not tell. The time of an ended process is counted with the one that
 * waited for it.
 */
export function processorUs(root: number): number | null {
  const all = usages();
  if (!all.has(root)) return null;
  let ticks = 0;
  const [...todo] = [root];
  for (let pid = todo.pop(); pid !== undefined; pid = todo.pop()) {
    ticks += all.get(pid)?.ticks ?? 0;
    for (const [child, { parent }] of all) if (parent === pid) todo.push(child);
  }
  return ticks * usPerTick;
}

function usages(): Map<number, Usage> {
  const found = new Map<number, Usage>();
  for (const pid of list('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      // The name in parentheses may contain anything, so fields are counted from behind it. See proc_pid_stat(5).
      const fields = stat
        .slice(stat.lastIndexOf(')') + 2)
        .split(' ')
        .map(Number);
      const [parent = 0, user = 0, system = 0, childrenUser = 0, childrenSystem = 0] = [1, 11, 12, 13, 14].map((i) => fields[i]);
      found.set(Number(pid), { parent, ticks: user + system + childrenUser + childrenSystem });
    } catch {
      // The process ended between the two reads.
    }
  }
  return found;
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
