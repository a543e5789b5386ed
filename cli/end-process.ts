/**
 * Ends the process. Node cannot exit while a file operation is in progress, and some never return (a pipe without a reader, a
 * network share that is unreachable). After `patienceMs` such a process is killed.
 */
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';

/** Time for file operations that do return, such as the last write to the log. */
const patienceMs = 2_000;

const inFileOperation = () => process.getActiveResourcesInfo().some((name) => name.startsWith('FSReq'));

export async function endProcess(code: number): Promise<never> {
  for (let waitedMs = 0; inFileOperation() && waitedMs < patienceMs; waitedMs += 20) await delay(20);
  if (inFileOperation()) process.kill(process.pid, 'SIGKILL');
  process.exit(code);
}
