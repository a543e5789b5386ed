/**
 * Identifies a process by pid and start time, because the system may give the pid of a dead process to another program. Windows
 * does not tell the start time, so there the pid alone counts.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { codeOf } from './errors.ts';

/** The start time of a process in the system's own form, for comparison only; null if the system does not tell it. */
export function startOf(pid: number): string | null {
  if (process.platform === 'linux') return statOf(pid)?.start ?? null;
  if (process.platform === 'win32') return null;
  try {
    return (
      execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }).trim() || null
    );
  } catch {
    return null;
  }
}

/**
 * Whether the process lives. `start` is a value of `startOf`; null checks only the pid. A zombie counts as dead, because it has
 * no open files and answers no requests.
 */
export function isAlive(pid: number, start: string | null = null): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (codeOf(error) !== 'EPERM') return false;
  }
  const stat = process.platform === 'linux' ? statOf(pid) : null;
  // The remaining threads of a zombie still keep its files and ports open.
  if (stat && /[ZX]/.test(stat.state) && stat.threads <= 1) return false;
  if (start === null) return true;
  return (stat ? stat.start : startOf(pid)) === start;
}

interface Stat {
  readonly state: string;
  readonly threads: number;
  readonly start: string;
}

function statOf(pid: number): Stat | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field, the command's name, may contain spaces and brackets, so fields are counted from its closing bracket:
    // state is field 3, the number of threads is field 20, the start time is field 22.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? '', threads: Number(fields[17]), start: fields[19] ?? '' };
  } catch {
    return null;
  }
}
