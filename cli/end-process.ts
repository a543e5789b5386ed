/**
 * The last thing a process does. A file operation that never returns (a pipe without a reader, a share that is away) keeps Node from
 * exiting for as long as it lasts; what is left then is to be killed.
 */
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';

/** For file operations that only take their time, as a last line of the log. */
const patienceMs = 2_000;

const inFileOperation = () => process.getActiveResourcesInfo().some((name) => name.startsWith('FSReq'));

export async function endProcess(code: number): Promise<never> {
  for (let waitedMs = 0; inFileOperation() && waitedMs < patienceMs; waitedMs += 20) await delay(20);
  if (inFileOperation()) process.kill(process.pid, 'SIGKILL');
  process.exit(code);
}
