/** Starts nodes as processes of their own, and kills them all. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { TestCrew } from '../support/crew.ts';
import type { Outside } from './outside.ts';

const script = join(import.meta.dirname, 'node-process.ts');

export class Nodes {
  readonly #crew: TestCrew;
  readonly #outside: Outside;
  readonly #running = new Set<ChildProcess>();

  constructor(crew: TestCrew, outside: Outside) {
    this.#crew = crew;
    this.#outside = outside;
  }

  /** Resolves when it takes tasks. */
  async start(name: string, more: NodeJS.ProcessEnv = {}): Promise<ChildProcess> {
    const env = { ...this.#crew.env, MODEL_URL: this.#crew.model.url, OUTSIDE_URL: this.#outside.url, NODE_NAME: name, ...more };
    const child = spawn(process.execPath, [script], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    this.#running.add(child);
    child.once('exit', () => this.#running.delete(child));
    const ended = once(child, 'exit').then(() => {
      throw new Error(`the node ${name} ended before it was ready`);
    });
    await Promise.race([once(child.stdout, 'data'), ended]);
    ended.catch(() => {});
    return child;
  }

  /** As by kill -9, which also ends one that is frozen or hangs. */
  async stop(): Promise<void> {
    await Promise.all(
      [...this.#running].map(async (child) => {
        const gone = once(child, 'exit');
        child.kill('SIGKILL');
        await gone;
      }),
    );
  }
}
