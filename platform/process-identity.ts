/**
 * Who a process is: a pid alone may have been given to another program since. Its start time tells them apart, where the system tells it
 * (not on Windows, where the pid has to do).
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { codeOf } from './errors.ts';

/** When the process started, in whatever form the system has, or null where it does not tell. Only good for comparing. */
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

/** `start` as startOf() gave it; null asks about the pid only. A zombie counts as dead: it holds nothing and answers nobody. */
export function isAlive(pid: number, start: string | null = null): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (codeOf(error) !== 'EPERM') return false;
  }
  const stat = process.platform === 'linux' ? statOf(pid) : null;
  // A zombie with threads is on its way out, but they still hold its files and ports.
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
    // The command's name, the second field, may hold spaces and brackets: count from its closing one. State is field 3, threads 20, start 22.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? '', threads: Number(fields[17]), start: fields[19] ?? '' };
  } catch {
    return null;
  }
}
