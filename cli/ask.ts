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
  /** Called at Ctrl-C, which also ends the wait. */
  readonly onInterrupt: () => void;
}

/**
 * Shows the prompt and hands each line to `take`, until `take` resolves to true. One reader stays open over all tries, because
 * lines that arrive together come in one piece, and a reader that is closed drops the rest of it.
 * @returns false after Ctrl-C, Ctrl-D or the abort of `signal`.
 */
export async function askUntil(
  { stdin, out }: Cli,
  prompt: string,
  { signal, onInterrupt }: AskOptions,
  take: (line: string) => Promise<boolean>,
): Promise<boolean> {
  await dropTyped(stdin);
  if (signal?.aborted) return false;
  const reader = createInterface({ input: stdin, output: out.stderr, terminal: true, historySize: 0, prompt });
  const stop = () => reader.close();
  signal?.addEventListener('abort', stop);
  reader.on('SIGINT', () => {
    reader.close();
    onInterrupt();
  });
  let isTaken = false;
  // Enter has ended the row of the prompt; what closes it otherwise leaves the cursor there.
  reader.on('close', () => isTaken || out.stderr.write('\n'));
  try {
    reader.prompt();
    for await (const line of reader) {
      isTaken = await take(line);
      if (isTaken || signal?.aborted) break;
      reader.prompt();
    }
    return isTaken;
  } finally {
    signal?.removeEventListener('abort', stop);
    reader.close();
  }
}

/** Asks for one line. @returns null after Ctrl-C, Ctrl-D or the abort of `signal`. */
export async function askLine(cli: Cli, prompt: string, options: AskOptions): Promise<string | null> {
  let line: string | null = null;
  await askUntil(cli, prompt, options, async (typed) => {
    line = typed;
    return true;
  });
  return line;
}

async function dropTyped(stdin: NodeJS.ReadStream): Promise<void> {
  const ignore = () => {};
  stdin.on('data', ignore);
  await delay(typedBeforeMs);
  stdin.off('data', ignore).pause();
}
