/** The surroundings of a matrix: one nats-server, one model, one outside world, and worker processes that may die. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CrewSession } from '../../../actors/node/join.ts';
import type { CoxNode } from '../../../actors/node/node.ts';
import { foldersOf } from '../../../platform/folders.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import type { ModelCall } from '../../support/model-server.ts';
import { Outside } from './outside.ts';
import { startWorkerNode, type WorkerSettings } from './worker-node.ts';

const script = join(import.meta.dirname, 'worker.ts');

export interface WorkerProcess {
  readonly process: ChildProcess;
  /** Resolves when the process is gone: true when it was killed. */
  readonly gone: Promise<boolean>;
}

export interface Points {
  /** `<point>#<nth>`: the worker dies there. */
  readonly crashAt?: string;
  /** A file that gets the points that the worker reaches. */
  readonly logTo?: string;
}

export class Place {
  readonly crew: TestCrew;
  readonly outside: Outside;
  readonly #thinkers = new Map<string, (call: ModelCall) => void>();
  readonly #alive = new Set<ChildProcess>();

  private constructor(crew: TestCrew, outside: Outside) {
    this.crew = crew;
    this.outside = outside;
    crew.model.answer((call) => {
      const [, tag = ''] = /#(\w+)/.exec(call.texts('user').join('\n')) ?? [];
      this.#thinkers.get(tag)?.(call);
    });
  }

  static async open(): Promise<Place> {
    return new Place(await testCrew(), await Outside.open());
  }

  /** Listens to the model calls whose user text contains `#<run>`, until it is stopped. */
  think(run: string, thinker: (call: ModelCall) => void): { stop(): void } {
    this.#thinkers.set(run, thinker);
    return { stop: () => void this.#thinkers.delete(run) };
  }

  /** Resolves when the worker takes tasks, or has died before. */
  async worker(run: string, { crashAt, logTo }: Points = {}, types?: readonly string[]): Promise<WorkerProcess> {
    const env = {
      ...this.crew.env,
      RUN: run,
      MODEL_URL: this.crew.model.url,
      OUTSIDE_URL: this.outside.url,
      TYPES: types?.join(','),
      COX_CRASH_AT: crashAt,
      COX_CRASH_LOG: logTo,
    };
    // The worker ends when its standard input does, so it notices when this process is gone.
    const child = spawn(process.execPath, [script], { env, stdio: ['pipe', 'pipe', 'inherit'] });
    this.#alive.add(child);
    const gone = once(child, 'exit').then(([code, signal]) => {
      this.#alive.delete(child);
      if (signal !== 'SIGKILL' && code !== 0) throw new Error(`the worker of ${run} ended with ${code ?? signal}`);
      return signal === 'SIGKILL';
    });
    await Promise.race([once(child.stdout!, 'data'), gone]);
    return { process: child, gone };
  }

  /** A node in this process that goes on after a killed one. */
  async successor(run: string): Promise<{ joined: CrewSession; node: CoxNode }> {
    const joined = await this.crew.join(`successor-${run}`, run);
    const settings: WorkerSettings = { run, modelUrl: this.crew.model.url, outsideUrl: this.outside.url };
    return { joined, node: await startWorkerNode(joined, settings) };
  }

  /** Process id of the nats-server. */
  async serverPid(): Promise<number> {
    const record = await readFile(join(foldersOf(this.crew.env).state, 'nats', 'server.json'), 'utf8');
    return JSON.parse(record).pid;
  }

  async stop(): Promise<void> {
    for (const child of this.#alive) child.kill('SIGKILL');
    await this.crew.stop();
    await this.outside.stop();
  }
}

/** Bytes of a worker’s heap after a garbage collection. */
export async function heapOf({ process: worker }: WorkerProcess): Promise<number> {
  const said = once(worker.stdout!, 'data');
  worker.kill('SIGUSR2');
  return Number(String((await said)[0]).trim());
}

/** Deletes the streams of a run: thousands of them would slow the server down. */
export async function sweepAway({ bus }: CrewSession): Promise<void> {
  const { workStream, logStream, timerStream, stateBucket } = bus.subjects;
  for (const stream of [workStream, logStream, timerStream, `KV_${stateBucket}`]) await bus.jsm.streams.delete(stream);
}
