/** Asks an operator on the terminal of a command. */
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

/** Gives the terminal to another program, such as an editor, until `run` ends. */
export type Lend = <T>(run: () => Promise<T>) => Promise<T>;

/**
 * Asks until `take` accepts a line. Lines that are typed while it decides are handed to it afterwards.
 * @returns false if no line was accepted before Ctrl-C, Ctrl-D or the abort of `signal`.
 */
export async function askUntil(
  { stdin, out }: Cli,
  prompt: string,
  take: (line: string, lend: Lend) => Promise<boolean>,
  { signal, onInterrupt }: AskOptions,
): Promise<boolean> {
  await dropTyped(stdin);
  if (signal?.aborted) return false;
  const reader = createInterface({ input: stdin, output: out.stderr, terminal: true, historySize: 0, prompt });
  const lines = reader[Symbol.asyncIterator]();
  let isLent = false;
  // Closing the reader would change the mode of a terminal that another program has.
  const stop = () => isLent || reader.close();
  const lend: Lend = async (run) => {
    isLent = true;
    reader.pause();
    stdin.setRawMode(false);
    try {
      return await run();
    } finally {
      isLent = false;
      stdin.setRawMode(true);
      reader.resume();
    }
  };
  signal?.addEventListener('abort', stop);
  reader.on('SIGINT', () => {
    reader.close();
    onInterrupt();
  });
  let isAccepted = false;
  // Enter has ended the row of the prompt; what closes it otherwise leaves the cursor there.
  reader.on('close', () => isAccepted || out.stderr.write('\n'));
  try {
    reader.prompt();
    for await (const line of lines) {
      isAccepted = await take(line, lend);
      if (isAccepted || signal?.aborted) break;
      reader.prompt();
    }
    return isAccepted;
  } finally {
    signal?.removeEventListener('abort', stop);
    reader.close();
  }
}

/** One line; null after Ctrl-C, Ctrl-D or the abort of `signal`. */
export async function askLine(cli: Cli, prompt: string, options: AskOptions): Promise<string | null> {
  let typed: string | null = null;
  const take = async (line: string) => {
    typed = line;
    return true;
  };
  await askUntil(cli, prompt, take, options);
  return typed;
}

async function dropTyped(stdin: NodeJS.ReadStream): Promise<void> {
  const ignore = () => {};
  stdin.on('data', ignore);
  await delay(typedBeforeMs);
  stdin.off('data', ignore).pause();
}
