/** The one Chromium of a node, with the proxy for all of its traffic. It is started on demand, and again after its end. */
import { join } from 'node:path';
import type { Progress } from '../../../platform/asset.ts';
import { CoxError } from '../../../platform/errors.ts';
import type { Folders } from '../../../platform/folders.ts';
import type { Log } from '../../../platform/log.ts';
import { BrowserProcess } from './browser-process.ts';
import { type FoundBrowser, obtainBrowser } from './find-browser.ts';

/** A proxy on loopback through which the browser goes: `openGuardedProxy`. */
export interface BrowserProxy {
  readonly url: string;
  user(task: string, onRefused: (why: string, url: string) => void): ProxyLogin;
  close(): Promise<void>;
}
export interface ProxyLogin {
  readonly username: string;
  readonly password: string;
  visits(url: URL): void;
  sendsOnly(may: (url: URL) => boolean): void;
  whyUnreached(url: URL): string | null;
  end(): void;
}

export interface BrowserOptions {
  readonly folders: Folders;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  /** Opens the proxy for all traffic of the browser. Default: the browser connects by itself. */
  readonly openProxy?: () => Promise<BrowserProxy>;
  /** Called while Chromium is fetched. */
  readonly onProgress?: (progress: Progress) => void;
}

export interface Running {
  readonly process: BrowserProcess;
  readonly proxy: BrowserProxy | null;
}

export class SharedBrowser {
  readonly #options: BrowserOptions;
  readonly #closing = new AbortController();
  #running: Promise<Running> | null = null;
  #found: FoundBrowser | null = null;

  constructor(options: BrowserOptions) {
    this.#options = options;
  }

  /** Fires when the node stops. */
  get signal(): AbortSignal {
    return this.#closing.signal;
  }

  /** @throws CoxError `no-browser`, `browser-failed`, those of fetching one. */
  start(): Promise<Running> {
    this.signal.throwIfAborted();
    this.#running ??= this.#start().catch((cause) => {
      this.#running = null;
      throw this.signal.aborted ? cause : forOperator(cause);
    });
    return this.#running;
  }

  /** The browser that runs or starts, or null. */
  async running(): Promise<Running | null> {
    return (await this.#running?.catch(() => null)) ?? null;
  }

  /** Ends a browser. The next `start` starts another one. */
  async end(running: Running): Promise<void> {
    if ((await this.running()) === running) this.#running = null;
    await running.process.close();
    await running.proxy?.close();
  }

  /** Ends the browser for good. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort(new CoxError('browser-failed', 'The node is stopping', { hint: 'Another node goes on with the task.' }));
    const running = await this.running();
    if (running) await this.end(running);
  }

  async #start(): Promise<Running> {
    const { folders, env, log, onProgress, openProxy } = this.#options;
    this.#found ??= await obtainBrowser({ folder: folders.cache, env, log, onProgress, signal: this.signal });
    const proxy = (await openProxy?.()) ?? null;
    try {
      const process = await BrowserProcess.start({
        found: this.#found,
        folder: join(folders.state, 'browsers'),
        env,
        log,
        proxyUrl: proxy?.url,
      });
      const { path, version } = this.#found;
      log.info({ path, version: version ?? process.browser.version() }, 'the browser has started');
      return { process, proxy };
    } catch (cause) {
      this.#found = null;
      await proxy?.close();
      throw cause;
    }
  }
}

/** An agent cannot bring a browser here, and is told what it should tell its operator. */
function forOperator(cause: unknown): unknown {
  if (!(cause instanceof CoxError) || !cause.hint) return cause;
  const { code, message, hint } = cause;
  return new CoxError(code, `${message}. Don't try again, and say in your answer what the operator can do: ${hint}`, {
    hint,
    cause,
  });
}
