/**
 * The endpoints of the backends. An embedded model is started on its first call. When its roster entry changes, the old model is
 * stopped once its calls have ended.
 */
import type OpenAI from 'openai';
import type { Progress } from '../platform/asset.ts';
import { CoxError } from '../platform/errors.ts';
import type { Folders } from '../platform/folders.ts';
import type { Log } from '../platform/log.ts';
import type { Backend, EmbeddedBackend } from './backend-schema.ts';
import { ModelError } from './errors.ts';
import { readKey } from './key.ts';

export interface Endpoint {
  readonly baseUrl: string;
  /** null: no key is sent. */
  readonly key: string | null;
  readonly model: string;
}

export interface EndpointOptions {
  readonly folders: Folders;
  readonly log: Log;
  /** Called while a model file is fetched. */
  readonly onProgress: (progress: Progress) => void;
  readonly env: NodeJS.ProcessEnv;
}

/** The part of roster/embedded/embedded.ts that is used here. */
interface Embedded {
  ready(signal: AbortSignal): Promise<Endpoint>;
  stop(): Promise<void>;
}

interface Running {
  /** The part of the roster entry for which it was started, as JSON. */
  readonly entry: string;
  readonly embedded: Promise<Embedded>;
  users: number;
  isRetired: boolean;
}

export class Endpoints {
  private readonly options: EndpointOptions;
  private readonly running = new Map<string, Running>();
  private readonly retiring = new Set<Promise<void>>();

  constructor(options: EndpointOptions) {
    this.options = options;
  }

  /**
   * Runs `use` with the endpoint.
   * @throws ModelError `no-key`, `not-yet`, or the code of a failed start of the embedded model.
   */
  async *with<T>(
    name: string,
    backend: Backend,
    signal: AbortSignal,
    use: (endpoint: Endpoint) => AsyncIterable<T>,
  ): AsyncGenerator<T> {
    switch (backend.kind) {
      case 'command':
        throw new ModelError('not-yet', name, 'backends of kind command cannot be called yet');
      case 'openai': {
        const found = readKey(backend.key, this.options.env);
        if ('problem' in found) throw new ModelError('no-key', name, found.problem);
        yield* use({ baseUrl: backend.baseUrl, key: found.key, model: backend.model });
        return;
      }
      case 'embedded': {
        const running = this.start(name, backend);
        running.users++;
        try {
          yield* use(await ready(name, running, signal));
        } finally {
          running.users--;
          if (running.isRetired && running.users === 0) this.end(running);
        }
      }
    }
  }

  /** Stops all embedded models; calls that still use one fail. Idempotent. */
  async stop(): Promise<void> {
    for (const running of this.running.values()) this.end(running);
    this.running.clear();
    await Promise.all(this.retiring);
  }

  private start(name: string, backend: EmbeddedBackend): Running {
    const { model, threads, context } = backend;
    const entry = JSON.stringify({ model, threads, context });
    const old = this.running.get(name);
    if (old?.entry === entry) return old;
    if (old) {
      old.isRetired = true;
      if (old.users === 0) this.end(old);
    }
    const { folders, log, onProgress } = this.options;
    const embedded = import('./embedded/embedded.ts').then(({ openEmbedded }) =>
      openEmbedded({ model, ...(threads !== null && { threads }), contextTokens: context, folders, log, onProgress }),
    );
    const running: Running = { entry, embedded, users: 0, isRetired: false };
    this.running.set(name, running);
    return running;
  }

  private end(running: Running): void {
    const ending = running.embedded.then(
      (embedded) => embedded.stop(),
      () => {},
    );
    this.retiring.add(ending);
    void ending.finally(() => this.retiring.delete(ending)).catch(() => {});
  }
}

async function ready(name: string, running: Running, signal: AbortSignal): Promise<Endpoint> {
  try {
    return await (await running.embedded).ready(signal);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof CoxError)) throw error;
    throw new ModelError(error.code, name, error.message, { hint: error.hint, cause: error });
  }
}

/**
 * A client for one call; the library is loaded on first use. By default it would read key, organisation, project, headers and log
 * level from OPENAI_* variables and send them to any server. All of these are overridden here, because the roster alone decides.
 * @param onSend is called right before each request leaves the process.
 */
export async function openClient({ baseUrl, key }: Endpoint, env: NodeJS.ProcessEnv, onSend = (): void => {}): Promise<OpenAI> {
  const { OpenAI } = await import('openai');
  const unwanted = (env.OPENAI_CUSTOM_HEADERS ?? '')
    .split('\n')
    .flatMap((line) => (line.includes(':') ? [line.split(':')[0]!.trim()] : []));
  return new OpenAI({
    baseURL: baseUrl,
    apiKey: key ?? 'none',
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    defaultHeaders: {
      ...Object.fromEntries(unwanted.map((name) => [name, null])),
      Authorization: key === null ? null : `Bearer ${key}`,
    },
    fetch: (url, init) => {
      if (!init?.signal?.aborted) onSend();
      return fetch(url, typeof init?.body === 'string' ? { ...init, body: wellFormed(init.body) } : init);
    },
    // A redirect would send the whole prompt to a host that the roster does not name; wire-error.ts reports where it leads.
    fetchOptions: { redirect: 'manual' },
    logLevel: 'off',
    // Retries and timeouts follow the roster's `limits`.
    maxRetries: 0,
    timeout: 2_147_483_647,
  });
}

/**
 * A half of a surrogate pair in a JSON text, as a model or a file may have left it. Strict servers refuse the whole request. JSON
 * writes only such halves as an escape; an escaped backslash before the `u` is text.
 */
const halves = /(?<!\\)((?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g;
const wellFormed = (json: string): string => json.replace(halves, '$1\\ufffd');
