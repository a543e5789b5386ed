/** The benchmark's side of a contender's process. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FromContender, ToContender } from './contender-messages.ts';
import { processorUs } from './processor-time.ts';

export type Ready = Extract<FromContender, { is: 'ready' | 'unavailable' | 'failed' }>;
export type FanOut = Extract<FromContender, { is: 'done' | 'failed' }> | { readonly is: 'late' };

/** Enough to build a Temporal server from source, once. The others start within seconds. */
const startPatienceMs = 30 * 60_000;
const stopPatienceMs = 30_000;

export class RemoteContender {
  readonly key: string;
  /** Made and removed here too, in case the process hangs and has to be killed. */
  readonly #folder = mkdtempSync(join(tmpdir(), 'cox-peers-'));
  readonly #child: ChildProcess;
  readonly #say: (line: string) => void;

  constructor(key: string, say: (line: string) => void) {
    this.key = key;
    this.#say = say;
    // A process group of its own: Ctrl-C reaches only the benchmark, which then stops the contender; a kill reaches all that the
    // contender started.
    const options = {
      detached: true,
      env: { ...process.env, TMPDIR: this.#folder },
      // Standard output is for the tables.
      stdio: ['ignore', 2, 2, 'ipc'] as ['ignore', 2, 2, 'ipc'],
    };
    this.#child = fork(join(import.meta.dirname, 'contender-process.ts'), [key, this.#folder], options);
  }

  async started(): Promise<Ready> {
    const answer = await this.#answer(startPatienceMs);
    if (answer.is === 'late' || answer.is === 'done') return { is: 'failed', message: 'it did not start' };
    return answer;
  }

  async fanOut(size: number, patienceMs: number): Promise<FanOut> {
    if (this.#hasEnded()) return { is: 'failed', message: 'its process has ended' };
    const order: ToContender = { fanOut: size };
    this.#child.send(order);
    const answer = await this.#answer(patienceMs);
    if (answer.is === 'ready' || answer.is === 'unavailable') return { is: 'failed', message: `it answered "${answer.is}"` };
    return answer;
  }

  /** Processor time so far of all its processes, in microseconds; null where the system does not tell. */
  processorUs(): number | null {
    return this.#child.pid === undefined ? null : processorUs(this.#child.pid);
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    await this.#ended();
    // Killed processes may still write for a moment.
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async #ended(): Promise<void> {
    if (this.#hasEnded()) return;
    const exit = once(this.#child, 'exit');
    const timer = setTimeout(() => process.kill(-(this.#child.pid as number), 'SIGKILL'), stopPatienceMs);
    if (this.#child.connected) this.#child.disconnect();
    await exit;
    clearTimeout(timer);
  }

  #hasEnded(): boolean {
    return this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  #answer(patienceMs: number): Promise<Exclude<FromContender, { is: 'saying' }> | { is: 'late' }> {
    return new Promise((resolve) => {
      const settle = (answer: Exclude<FromContender, { is: 'saying' }> | { is: 'late' }) => {
        clearTimeout(timer);
        this.#child.off('message', onMessage);
        this.#child.off('exit', onExit);
        resolve(answer);
      };
      const onMessage = (message: FromContender) => {
        if (message.is === 'saying') this.#say(message.line);
        else settle(message);
      };
      const onExit = () => settle({ is: 'failed', message: 'its process has ended' });
      const timer = setTimeout(() => settle({ is: 'late' }), patienceMs);
      this.#child.on('message', onMessage);
      this.#child.on('exit', onExit);
    });
  }
}
