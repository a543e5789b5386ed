/**
 * Reads pages in a process of its own, one at a time: a page that is built to keep its reader busy, or to fill its memory, ends
 * that process and not the node. It starts with the first page, and ends when no page has come for a while, or with its node.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { PageJob, ReadPage } from './page-markdown.ts';
import type { Done, Job, RobotsJob } from './page-worker.ts';
import { FetchProblem } from './web-fetch.ts';

export interface PageReaderLimits {
  /** Longest time for one page, in ms. Default: 10 s. */
  readonly ms?: number;
  /** Heap for one page in MB. Default: 512. */
  readonly heapMb?: number;
  /** The process ends after this many ms without a page. Default: 30 s. */
  readonly idleMs?: number;
}

export class PageReader {
  readonly #limits: Required<PageReaderLimits>;
  #child: ChildProcess | null = null;
  #idle: NodeJS.Timeout | undefined;
  /** The job in the process, and those that wait for it. */
  #line: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor({ ms = 10_000, heapMb = 512, idleMs = 30_000 }: PageReaderLimits = {}) {
    this.#limits = { ms, heapMb, idleMs };
  }

  /** Id of the process, or null where there is none at the moment. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** @throws FetchProblem `too-complex`. */
  async page(job: PageJob, signal: AbortSignal): Promise<ReadPage> {
    const done = await this.#inTurn({ page: job }, signal);
    if ('page' in done) return done.page;
    throw tooComplex('failed' in done ? done.failed : '');
  }

  /** A `robots.txt` that cannot be read forbids nothing. */
  async mayRead(job: RobotsJob, signal: AbortSignal): Promise<boolean> {
    const done = await this.#inTurn({ robots: job }, signal);
    return 'allowed' in done ? done.allowed : true;
  }

  /** Ends the process. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#end();
  }

  #inTurn(job: Job, signal: AbortSignal): Promise<Done> {
    const mine = this.#line.then(() => this.#run(job, signal));
    this.#line = mine.catch(() => {});
    return mine;
  }

  async #run(job: Job, signal: AbortSignal): Promise<Done> {
    signal.throwIfAborted();
    if (this.#closed) throw new Error('the node stops');
    clearTimeout(this.#idle);
    this.#child ??= this.#start();
    const child = this.#child;
    const { ms, idleMs } = this.#limits;
    const over = new AbortController();
    const late = setTimeout(() => over.abort(tooComplex(`it takes longer than ${ms / 1000} s`)), ms);
    const until = AbortSignal.any([signal, over.signal]);
    try {
      const ended = once(child, 'exit', { signal: until }).then(() => {
        throw tooComplex('it takes too much memory');
      });
      const done = once(child, 'message', { signal: until });
      child.send(job, (failed) => failed && over.abort(tooComplex('its reader has ended')));
      const [message] = await Promise.race([done, ended.catch((cause) => Promise.reject(cause))]);
      return message as Done;
    } catch (cause) {
      // The work that it is busy with would be in the way of the next page.
      await this.#end();
      throw until.aborted ? until.reason : cause;
    } finally {
      clearTimeout(late);
      over.abort();
      if (this.#child) this.#idle = setTimeout(() => void this.#end(), idleMs).unref();
    }
  }

  #start(): ChildProcess {
    // page-process.ts in a checkout, page-process.js in a build: the same extension as this file.
    const entry = new URL(`./page-process.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url);
    const child = fork(fileURLToPath(entry), {
      execArgv: [`--max-old-space-size=${this.#limits.heapMb}`],
      // Nothing of the node's environment is needed there, such as keys.
      env: {},
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      serialization: 'advanced',
    });
    child.on('error', () => {});
    child.once('exit', () => {
      if (this.#child === child) this.#child = null;
    });
    child.unref();
    child.channel?.unref();
    return child;
  }

  async #end(): Promise<void> {
    clearTimeout(this.#idle);
    const child = this.#child;
    this.#child = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.ref();
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }
}

const tooComplex = (why: string) =>
  new FetchProblem(
    'too-complex',
    `The page could not be read (${why || 'nobody knows why'}): it is too complex, or made to be so. Look for another one.`,
  );
