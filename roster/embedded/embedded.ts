/**
 * The embedded backend as the roster sees it: an endpoint that is started on first use.
 * - Nothing is fetched, started or loaded before the first ready(). Concurrent calls of ready() share one start.
 * - When the model process ends by itself, the calls in flight fail with their connection, and the next ready() starts another.
 * - After stop() no part of it runs, and it cannot be started again.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { Asset, Progress } from '../../platform/asset.ts';
import { download } from '../../platform/download.ts';
import { CoxError } from '../../platform/errors.ts';
import type { Folders } from '../../platform/folders.ts';
import type { Log } from '../../platform/log.ts';
import { type Child, startChild } from './child.ts';
import { checkModelFile, chooseModel } from './models.ts';

export interface EmbeddedOptions {
  /** `small`, `standard`, or the path of a GGUF file. */
  readonly model: string;
  /** Default: the number of cores minus one. On a busy machine, more threads than free cores are slower than a single thread. */
  readonly threads?: number | undefined;
  readonly contextTokens: number;
  /** Requires one of llama.cpp's GPU builds, which are not installed by default. Default: false. */
  readonly gpu?: boolean | undefined;
  readonly folders: Folders;
  readonly log: Log;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

export interface Endpoint {
  readonly baseUrl: string;
  readonly key: string;
  readonly model: string;
}

export type EmbeddedState = 'off' | 'fetching' | 'loading' | 'ready';

export interface Embedded {
  /**
   * Starts the model if it does not run, and returns its endpoint.
   * @throws CoxError `model-missing`, `model-corrupt`, `model-unusable`, `model-crashed`, `out-of-memory`,
   * `platform-unsupported`,
   *   `embedded-stopped`, the errors of download(); the signal's reason (the start continues while another caller waits for it).
   */
  ready(signal: AbortSignal): Promise<Endpoint>;
  stop(): Promise<void>;
  state(): EmbeddedState;
  /** Id of the model process, for the doctor and for tests; null when none runs. */
  pid(): number | null;
}

export const defaultThreads = (): number => Math.max(1, availableParallelism() - 1);

export function openEmbedded(options: EmbeddedOptions): Embedded {
  return new EmbeddedModel(options);
}

interface Start {
  readonly endpoint: Promise<Endpoint>;
  readonly abort: AbortController;
  waiting: number;
}

class EmbeddedModel implements Embedded {
  readonly #options: EmbeddedOptions;
  readonly #stopping = new AbortController();
  /** All launches that have not ended. One for which no caller waits any more may still be cleaning up. */
  readonly #launches = new Set<Promise<Endpoint>>();
  #state: EmbeddedState = 'off';
  #child: Child | null = null;
  #start: Start | null = null;

  constructor(options: EmbeddedOptions) {
    this.#options = options;
  }

  state(): EmbeddedState {
    return this.#state;
  }

  pid(): number | null {
    return this.#child?.pid ?? null;
  }

  async ready(signal: AbortSignal): Promise<Endpoint> {
    await this.#notice(signal);
    signal.throwIfAborted();
    if (this.#stopping.signal.aborted) throw stopped();
    this.#start ??= this.#begin();
    const start = this.#start;
    start.waiting++;
    try {
      return await untilAborted(start.endpoint, signal);
    } finally {
      start.waiting--;
      // The last caller has left, so a download of a gigabyte need not continue.
      if (start.waiting === 0 && signal.aborted && this.#state !== 'ready') {
        this.#forget(start);
        start.abort.abort(signal.reason);
      }
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort(stopped());
    await Promise.allSettled(this.#launches);
    await this.#child?.stop();
  }

  /**
   * Checks that the process answers, and stops it if it does not. A caller may see its connection break before the process is
   * reported as ended, and must not get the endpoint of the dead process again.
   */
  async #notice(signal: AbortSignal): Promise<void> {
    const child = this.#child;
    if (!child) return;
    try {
      await fetch(new URL('/health', child.baseUrl), { signal });
    } catch {
      signal.throwIfAborted();
      await child.stop();
    }
  }

  #begin(): Start {
    const abort = new AbortController();
    const endpoint = this.#launch(AbortSignal.any([abort.signal, this.#stopping.signal]), () => this.#forget(start));
    const start: Start = { endpoint, abort, waiting: 0 };
    this.#launches.add(endpoint);
    endpoint.catch(() => this.#forget(start)).finally(() => this.#launches.delete(endpoint));
    return start;
  }

  async #launch(signal: AbortSignal, onEnd: () => void): Promise<Endpoint> {
    const { model, contextTokens, threads = defaultThreads(), gpu = false, log } = this.#options;
    const choice = chooseModel(model);
    this.#state = 'fetching';
    const modelPath = choice.kind === 'file' ? choice.path : await this.#fetch(choice.asset, signal);
    await checkModelFile(modelPath);
    signal.throwIfAborted();
    this.#state = 'loading';
    const key = randomBytes(24).toString('base64url');
    const launch = { modelPath, modelName: model, threads, contextTokens, gpu, key };
    const child = await startChild(launch, log, signal).catch(async (error: unknown) => {
      throw choice.kind === 'asset' ? await blameFile(error, choice.asset, modelPath) : error;
    });
    if (signal.aborted) {
      await child.stop();
      throw signal.reason;
    }
    this.#child = child;
    this.#state = 'ready';
    log.info({ model, threads, contextTokens, pid: child.pid }, 'embedded model ready');
    void child.ended.then((how) => {
      if (this.#child === child) this.#child = null;
      onEnd();
      if (!this.#stopping.signal.aborted) log.warn({ model, how }, 'the model process ended; the next call starts a new one');
    });
    return { baseUrl: child.baseUrl, key, model };
  }

  #fetch(asset: Asset, signal: AbortSignal): Promise<string> {
    const { folders, log, onProgress } = this.#options;
    return download(asset, { folder: folders.cache, log, signal, onProgress });
  }

  #forget(start: Start): void {
    if (this.#start !== start) return;
    this.#start = null;
    this.#state = 'off';
  }
}

const stopped = (): CoxError =>
  new CoxError('embedded-stopped', 'The embedded model has been stopped', { hint: 'Start cox again to use it.' });

async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const leave = () => reject(signal.reason);
  signal.addEventListener('abort', leave, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}

/** llama.cpp cannot tell a damaged file from an unsupported one; the pinned sha256 can. */
async function blameFile(error: unknown, asset: Asset, path: string): Promise<unknown> {
  if (!(error instanceof CoxError) || (error.code !== 'model-unusable' && error.code !== 'model-crashed')) return error;
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  if (hash.digest('hex') === asset.sha256) return error;
  return new CoxError('model-corrupt', `The model file ${path} is damaged: its sha256 is not the expected one`, {
    hint: 'Delete the file; it is fetched again.',
    cause: error,
  });
}
