/** Starts nodes in processes of their own and kills them all. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestCrew } from '../support/crew.ts';
import type { Outside } from './outside.ts';

const script = join(import.meta.dirname, 'node-process.ts');

/** A line of a node’s log. */
type Line = { readonly msg: string } & Readonly<Record<string, unknown>>;

export class NodeProcess {
  readonly #child: ChildProcess;
  readonly #lines: Line[] = [];
  readonly #waiting = new Set<() => void>();
  readonly gone: Promise<unknown>;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.gone = once(child, 'exit').then(() => this.#tell());
    createInterface({ input: child.stdout! }).on('line', (text) => {
      this.#lines.push(JSON.parse(text));
      this.#tell();
    });
  }

  /** Resolves when the log has such a line. */
  async says(wanted: (line: Line) => boolean): Promise<void> {
    while (!this.#lines.some(wanted)) {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) throw new Error('the node has ended');
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  freeze(): void {
    this.#child.kill('SIGSTOP');
  }
  thaw(): void {
    this.#child.kill('SIGCONT');
  }
  /** Kills the process, as `kill -9` does, even if it is frozen or hangs. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.gone;
  }

  #tell(): void {
    for (const tell of this.#waiting) tell();
    this.#waiting.clear();
  }
}

export class Nodes {
  readonly #crew: TestCrew;
  readonly #outside: Outside;
  readonly #started: NodeProcess[] = [];

  constructor(crew: TestCrew, outside: Outside) {
    this.#crew = crew;
    this.#outside = outside;
  }

  /** Resolves when the node takes tasks. */
  async start(name: string, more: NodeJS.ProcessEnv = {}): Promise<NodeProcess> {
    const env = { ...this.#crew.env, MODEL_URL: this.#crew.model.url, OUTSIDE_URL: this.#outside.url, NODE_NAME: name, ...more };
    const node = new NodeProcess(spawn(process.execPath, [script], { env, stdio: ['ignore', 'pipe', 'inherit'] }));
    this.#started.push(node);
    await node.says(({ msg }) => msg === 'ready');
    return node;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#started.map((node) => node.kill()));
  }
}
