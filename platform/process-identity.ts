/**
 * Who a process is: a pid alone may have been given to another program since. On Linux the start time tells them apart; elsewhere the
 * pid has to do.
 */
import { readFileSync } from 'node:fs';
import { codeOf } from './errors.ts';

/** Clock ticks from boot to the process's start, or null where the system does not tell. */
export function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command's name, the second field, may hold spaces and brackets: count from its closing one. The start is field 22.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}

/** A zombie counts as dead: it holds nothing and answers nobody. */
export function isAlive(pid: number, start: string | null = null): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (codeOf(error) !== 'EPERM') return false;
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return false;
    return start === null || fields[19] === start;
  } catch {
    // No /proc here, or the process went away between the two looks.
    return process.platform !== 'linux';
  }
}
