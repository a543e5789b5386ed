/** Asks an operator for one line, on the terminal of a command. */
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { Cli } from './cli.ts';

/** Whether somebody can be asked: both the keyboard and the messages of this command are on a terminal. */
export const canAsk = (cli: Cli): boolean => cli.stdin.isTTY === true && cli.out.stderr.isTTY === true;

/** Time in ms in which the terminal hands over lines that were typed before the question. They are no answer to it. */
const typedBeforeMs = 30;

export interface AskOptions {
  /** Ends the wait for a line: the question needs no answer any more. */
  readonly signal?: AbortSignal;
  /** Whether this is the first time that the question is shown, so that what was typed before is no answer to it. */
  readonly isNew?: boolean;
  /** Called at Ctrl-C, which also ends the wait. */
  readonly onInterrupt: () => void;
}

/** @returns the line; null after Ctrl-C, Ctrl-D or the abort of `signal`. */
export async function askLine(
  { stdin, out }: Cli,
  prompt: string,
  { signal, isNew = true, onInterrupt }: AskOptions,
): Promise<string | null> {
  if (isNew) await dropTyped(stdin);
  if (signal?.aborted) return null;
  const reader = createInterface({ input: stdin, output: out.stderr, terminal: true, historySize: 0 });
  const { promise, resolve } = Promise.withResolvers<string | null>();
  const stop = () => reader.close();
  signal?.addEventListener('abort', stop);
  reader.on('SIGINT', () => {
    reader.close();
    onInterrupt();
  });
  let line: string | null = null;
  reader.on('close', () => {
    // Enter has ended the row of the prompt; what closes it otherwise leaves the cursor there.
    if (line === null) out.stderr.write('\n');
    resolve(line);
  });
  reader.question(prompt, (typed) => {
    line = typed;
    reader.close();
  });
  return promise.finally(() => signal?.removeEventListener('abort', stop));
}

async function dropTyped(stdin: NodeJS.ReadStream): Promise<void> {
  const ignore = () => {};
  stdin.on('data', ignore);
  await delay(typedBeforeMs);
  stdin.off('data', ignore).pause();
}
