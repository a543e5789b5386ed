/** A replay goes from step to step by the keys of an operator, or in the time that the steps took. */
import { emitKeypressEvents } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { Cli } from './cli.ts';
import type { ReplayStep } from './replay-steps.ts';

export interface Walk {
  readonly steps: readonly ReplayStep[];
  /** Index of the first step that is shown. */
  readonly first: number;
  /** Reads the steps again: a live task has made more of them meanwhile. */
  readonly read: () => Promise<readonly ReplayStep[]>;
  readonly show: (step: ReplayStep) => void;
}

type Move = 'next' | 'back' | 'quit';
const moves: Readonly<Record<string, Move>> = {
  ...{ space: 'next', return: 'next', enter: 'next', right: 'next', down: 'next', n: 'next', j: 'next' },
  ...{ left: 'back', up: 'back', b: 'back', k: 'back', p: 'back' },
  ...{ q: 'quit', escape: 'quit' },
};

/** Ends at `q`, Ctrl-C or Ctrl-D. The terminal is given back as it was. */
export async function walkByKeys(cli: Cli, { steps, first, read, show }: Walk): Promise<void> {
  const { stdin, out } = cli;
  const keys = keysOf(cli);
  let all = steps;
  let at = first;
  try {
    show(all[at]!);
    for (;;) {
      const place = `${at + 1} of ${all.length}`;
      out.stdout.write(out.paint.stdout.dim(`${place}: space next, b back, q quit `));
      const move = await keys.next();
      out.stdout.write('\r\u001b[K');
      if (move === 'quit') return;
      if (move === 'next' && at + 1 === all.length) all = await read();
      const to = Math.min(all.length - 1, Math.max(0, at + (move === 'next' ? 1 : -1)));
      if (to !== at) show(all[to]!);
      else out.note(move === 'next' ? 'That was the last step so far.' : 'That was the first step.');
      at = to;
    }
  } finally {
    keys.stop();
    stdin.pause();
  }
}

function keysOf({ stdin, signal }: Cli) {
  const waiting: Move[] = [];
  let told: ((move: Move) => void) | null = null;
  const take = (move: Move) => {
    if (!told) waiting.push(move);
    else told(move);
    told = null;
  };
  const onKey = (_: string | undefined, { name, ctrl }: { name?: string; ctrl?: boolean }) => {
    const move = ctrl ? (name === 'c' || name === 'd' ? 'quit' : undefined) : moves[name ?? ''];
    if (move) take(move);
  };
  const onEnd = () => take('quit');
  emitKeypressEvents(stdin);
  stdin.setRawMode(true);
  stdin.on('keypress', onKey);
  stdin.on('end', onEnd);
  signal.addEventListener('abort', onEnd);
  stdin.resume();
  return {
    next: (): Promise<Move> => {
      const move = waiting.shift();
      if (move) return Promise.resolve(move);
      return new Promise((resolve) => {
        told = resolve;
      });
    },
    stop: () => {
      stdin.off('keypress', onKey);
      stdin.off('end', onEnd);
      signal.removeEventListener('abort', onEnd);
      stdin.setRawMode(false);
    },
  };
}

/** Longest wait before a step, in ms of the replay: a task may have waited for its operator for days. */
const mostMs = 5_000;

/** Shows each step after the time that lay before it, divided by `speed`. */
export async function walkInTime(
  steps: readonly ReplayStep[],
  speed: number,
  show: (step: ReplayStep) => void,
  signal: AbortSignal,
): Promise<void> {
  for (const [i, step] of steps.entries()) {
    const before = steps[i - 1];
    const pauseMs = before ? (Date.parse(step.at) - Date.parse(before.at)) / speed : 0;
    if (pauseMs > 0) await delay(Math.min(mostMs, pauseMs), undefined, { signal });
    show(step);
  }
}
