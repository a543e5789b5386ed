/** Asks for a yes before something that cannot be taken back. */
import { askLine, canAsk } from './ask.ts';
import type { Cli } from './cli.ts';
import { Interrupted, usageError } from './errors.ts';
import { exitCodes } from './exit-codes.ts';

/**
 * @param hint how to go on where nobody can be asked.
 * @throws CoxError `usage` if there is no terminal to ask on; Interrupted at Ctrl-C.
 */
export async function isConfirmed(cli: Cli, question: string, hint: string): Promise<boolean> {
  if (!canAsk(cli)) throw usageError('No terminal to ask on.', hint);
  let interrupted = false;
  const onInterrupt = () => {
    interrupted = true;
  };
  const line = await askLine(cli, `${question} [y/N] `, { signal: cli.signal, onInterrupt });
  cli.signal.throwIfAborted();
  if (interrupted) throw new Interrupted(exitCodes.interrupted);
  return /^\s*y(es)?\s*$/i.test(line ?? '');
}
