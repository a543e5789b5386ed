/**
 * The browser of a node, and the pages of its tasks. Chromium starts with the first page, and one serves all tasks of the node.
 * Invariants:
 * - A task has one context, which ends with the task. A task that is parked keeps its page here for a while.
 * - A page is never older than what is kept of its task: if another node has gone on with it, it is opened again from there.
 * - Chromium ends when it has had no page for a while, and with the node.
 */
import { join } from 'node:path';
import type { BrowserContext } from 'playwright-core';
import type { Progress } from '../../../platform/asset.ts';
import { CoxError, messageOf } from '../../../platform/errors.ts';
import type { Folders } from '../../../platform/folders.ts';
import type { Log } from '../../../platform/log.ts';
import { BrowserProcess } from './browser-process.ts';
import { Downloads } from './downloads.ts';
import { type FoundBrowser, obtainBrowser } from './find-browser.ts';
import { type KeptPage, type KeptPages, nothingKept, type Origins, readKept } from './kept-page.ts';
import { restoreMs } from './page-limits.ts';
import { Notes, OpenPage, type TaskPage } from './task-page.ts';

/** A proxy on loopback through which the browser goes: `openGuardedProxy`. */
export interface BrowserProxy {
  readonly url: string;
  user(task: string, onRefused: (why: string, url: string) => void): ProxyLogin;
  close(): Promise<void>;
}
interface ProxyLogin {
  readonly username: string;
  readonly password: string;
  visits(url: URL): void;
  end(): void;
}

export interface BrowsersOptions {
  readonly folders: Folders;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  readonly kept: KeptPages;
  /** Opens the proxy for all traffic of the browser. Default: the browser connects by itself. */
  readonly openProxy?: () => Promise<BrowserProxy>;
  /** Called while Chromium is fetched. */
  readonly onProgress?: (progress: Progress) => void;
  /** The most tasks that have a page at once. Default: 12. The page of the task that used it least recently is closed first. */
  readonly maxContexts?: number;
  /** Milliseconds for which a parked task keeps its page on this node. Default: 10 minutes. */
  readonly parkedMs?: number;
  /** Milliseconds for which Chromium stays without a page. Default: a minute. */
  readonly emptyMs?: number;
}

interface Running {
  readonly process: BrowserProcess;
  readonly proxy: BrowserProxy | null;
}
interface Entry {
  readonly task: string;
  readonly open: OpenPage;
  readonly running: Running;
  readonly login: ProxyLogin | null;
  readonly origins: Origins;
  /** Number of what is kept of the task, as far as this node knows; 0 if nothing is. */
  revision: number;
  parked: NodeJS.Timeout | null;
}

export class Browsers {
  readonly #options: BrowsersOptions;
  /** The entry of each task that has a page, the least recently used first. */
  readonly #entries = new Map<string, Entry>();
  /** Openings and closings of the page of one task come one after another. */
  readonly #turns = new Map<string, Promise<unknown>>();
  #running: Promise<Running> | null = null;
  #empty: NodeJS.Timeout | null = null;
  #found: FoundBrowser | null = null;
  readonly #stop = new AbortController();

  constructor(options: BrowsersOptions) {
    this.#options = options;
  }

  /**
   * The page of a task. It is opened, or opened again where the task was, if it is not there or does not answer; `notices()` then
   * says so.
   * @throws CoxError `no-browser`, `browser-failed`, those of fetching one; the signal's reason.
   */
  pageFor(task: string, signal: AbortSignal): Promise<TaskPage> {
    // An opening that nobody waits for any more goes on, since the next call wants the page.
    return raced(
      this.#inTurn(task, () => this.#pageFor(task)),
      signal,
    );
  }

  /** The task has ended: its page is closed, and its cookies and storage are forgotten. */
  async ended(task: string): Promise<void> {
    await this.#dropInTurn(task, async (entry) => {
      if (entry.revision > 0) await this.#options.kept.write(task, nothingKept, entry.revision);
    });
  }

  /** Another node goes on with the task: its page is closed here. */
  async left(task: string): Promise<void> {
    await this.#dropInTurn(task, (entry) => this.#keep(entry));
  }

  async #dropInTurn(task: string, first: (entry: Entry) => Promise<void>): Promise<void> {
    if (!this.#turns.has(task) && !this.#entries.has(task)) return;
    await this.#inTurn(task, async () => {
      const entry = this.#entries.get(task);
      if (!entry) return;
      await first(entry).catch((err) => this.#options.log.warn({ err, task }, 'the state of a page could not be written'));
      await this.#drop(task);
    });
  }

  /** The task waits, and may go on here or elsewhere: its page stays for a while. */
  parked(task: string): void {
    const entry = this.#entries.get(task);
    if (!entry) return;
    if (entry.parked) clearTimeout(entry.parked);
    entry.parked = setTimeout(() => void this.#closeKept(entry), this.#options.parkedMs ?? 600_000);
    entry.parked.unref();
  }

  /** Ends everything. Idempotent. */
  async close(): Promise<void> {
    this.#stop.abort(new CoxError('browser-failed', 'The node is stopping', { hint: 'Another node goes on with the task.' }));
    if (this.#empty) clearTimeout(this.#empty);
    const running = this.#running;
    this.#running = null;
    for (const { parked } of this.#entries.values()) if (parked) clearTimeout(parked);
    this.#entries.clear();
    const up = await running?.catch(() => null);
    await up?.process.close();
    await up?.proxy?.close();
  }

  #inTurn<T>(task: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(task) ?? Promise.resolve()).then(work, work);
    const settled = turn.then(
      () => {},
      () => {},
    );
    this.#turns.set(task, settled);
    void settled.then(() => this.#turns.get(task) === settled && this.#turns.delete(task));
    return turn;
  }

  async #pageFor(task: string): Promise<TaskPage> {
    const latest = await this.#latest(task);
    const entry = this.#entries.get(task);
    if (!entry) return (await this.#open(task, latest, 'The task had a page before')).open;
    if (latest && latest.revision > entry.revision) {
      await this.#drop(task);
      return (await this.#open(task, latest, 'The task went on at another node meanwhile')).open;
    }
    if (!(await entry.running.process.answers())) {
      await this.#lost(entry.running);
      const notes = entry.open.notes.take();
      const reopened = await this.#open(task, latest, 'The browser ended or hung');
      for (const note of notes) reopened.open.notes.add(note);
      return reopened.open;
    }
    this.#used(entry);
    const lostUrl = await entry.open.ensureUsable(this.#stop.signal);
    if (lostUrl !== null) await this.#goBackTo(entry, lostUrl, false);
    return entry.open;
  }

  /** What is kept, or null. Without the bus the page that is here is used. */
  async #latest(task: string): Promise<{ page: KeptPage; revision: number } | null> {
    try {
      return await this.#options.kept.read(task);
    } catch (err) {
      this.#options.log.warn({ err, task }, 'what is kept of a page could not be read');
      return null;
    }
  }

  #used(entry: Entry): void {
    if (entry.parked) clearTimeout(entry.parked);
    entry.parked = null;
    this.#entries.delete(entry.task);
    this.#entries.set(entry.task, entry);
  }

  async #open(task: string, latest: { page: KeptPage; revision: number } | null, why: string): Promise<Entry> {
    await this.#makeRoom();
    const running = await this.#start();
    const notes = new Notes();
    const login = running.proxy?.user(task, (reason, url) => notes.add(`${reason} (${url})`)) ?? null;
    const kept = latest?.page ?? null;
    const context = await running.process.browser.newContext({
      acceptDownloads: true,
      permissions: [],
      // The requests of a service worker would come from no page.
      serviceWorkers: 'block',
      viewport: { width: 1280, height: 800 },
      ...(kept && { storageState: { cookies: kept.cookies, origins: kept.origins } }),
      ...(login && running.proxy && { proxy: proxyOf(running.proxy, login) }),
    });
    const origins: Origins = new Map(kept?.origins.map((it) => [it.origin, it]));
    const downloads = await watchDownloads(context, running.process, notes);
    const entry: Entry = {
      task,
      running,
      login,
      origins,
      revision: latest?.revision ?? 0,
      parked: null,
      open: OpenPage.open({
        context,
        downloads,
        notes,
        visits: (url) => login?.visits(url),
        keep: () => this.#keep(entry),
      }),
    };
    this.#entries.set(task, entry);
    if (this.#empty) clearTimeout(this.#empty);
    this.#empty = null;
    if (kept && !isNothing(kept)) {
      notes.add(kept.url === 'about:blank' ? `${why}. No page is open now.` : `${why}.`);
      await this.#goBackTo(entry, kept.url, kept.isPartial);
    }
    return entry;
  }

  async #goBackTo({ open, login }: Entry, url: string, isPartial: boolean): Promise<void> {
    if (!/^https?:/.test(url)) return;
    login?.visits(new URL(url));
    const lost = [
      'what was typed into forms, the scroll position and the history of the page',
      ...(isPartial ? ['a part of its storage'] : []),
    ];
    try {
      await open.page.goto(url, { waitUntil: 'commit', timeout: restoreMs });
      await open.page.waitForLoadState('domcontentloaded', { timeout: restoreMs }).catch(() => open.stopLoading());
      open.notes.add(`The page was opened again at ${url}. Lost are ${lost.join(', and ')}; look before you go on.`);
    } catch (cause) {
      const said = messageOf(cause).split('\n')[0];
      open.notes.add(`The page could not be opened again at ${url} (${said}). Lost are ${lost.join(', and ')}.`);
    }
  }

  /** Keeps where the task is. A failure costs only the resumption of the page. */
  async #keep(entry: Entry): Promise<void> {
    try {
      const kept = await readKept(entry.open.context, entry.open.page, entry.origins);
      // Where another node has gone on, the next call finds its state and opens the page again from there.
      entry.revision = (await this.#options.kept.write(entry.task, kept, entry.revision)) ?? entry.revision;
    } catch (err) {
      this.#options.log.warn({ err, task: entry.task }, 'where a page is could not be kept');
    }
  }

  /** Closes the page of a task that may still want it: it is opened again from what is kept. */
  async #closeKept(entry: Entry): Promise<void> {
    if (this.#entries.get(entry.task) === entry) await this.left(entry.task);
  }

  /** Pages of parked tasks go first, and of each sort the one that was used least recently. */
  async #makeRoom(): Promise<void> {
    const { maxContexts = 12 } = this.#options;
    while (this.#entries.size >= maxContexts) {
      const entries = [...this.#entries.values()];
      const oldest = entries.find(({ parked }) => parked !== null) ?? entries[0]!;
      await this.#keep(oldest);
      await this.#drop(oldest.task);
    }
  }

  async #drop(task: string): Promise<void> {
    const entry = this.#entries.get(task);
    if (!entry) return;
    this.#entries.delete(task);
    if (entry.parked) clearTimeout(entry.parked);
    entry.login?.end();
    await entry.open.close();
    if (this.#entries.size > 0 || this.#stop.signal.aborted) return;
    this.#empty = setTimeout(() => void this.#closeEmpty(), this.#options.emptyMs ?? 60_000);
    this.#empty.unref();
  }

  async #closeEmpty(): Promise<void> {
    const running = await this.#running?.catch(() => null);
    if (running && this.#entries.size === 0) await this.#lost(running);
  }

  /** Ends a browser that is not wanted any more or does not answer. Its tasks get another one with their next call. */
  async #lost(running: Running): Promise<void> {
    if ((await this.#running?.catch(() => null)) === running) this.#running = null;
    for (const entry of [...this.#entries.values()])
      if (entry.running === running) {
        entry.login?.end();
        if (entry.parked) clearTimeout(entry.parked);
        this.#entries.delete(entry.task);
      }
    await running.process.close();
    await running.proxy?.close();
  }

  #start(): Promise<Running> {
    this.#stop.signal.throwIfAborted();
    this.#running ??= this.#startOne().catch((cause) => {
      this.#running = null;
      throw cause;
    });
    return this.#running;
  }

  async #startOne(): Promise<Running> {
    const { folders, env, log, onProgress, openProxy } = this.#options;
    this.#found ??= await obtainBrowser({ folder: folders.cache, env, log, onProgress, signal: this.#stop.signal });
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

const isNothing = ({ url, isPartial }: KeptPage): boolean => url === 'about:blank' && !isPartial;

/** `<-loopback>` sends addresses of this machine through the proxy too. */
const proxyOf = ({ url }: BrowserProxy, { username, password }: ProxyLogin) => ({
  server: url,
  username,
  password,
  bypass: '<-loopback>',
});

async function watchDownloads(context: BrowserContext, { root, downloads }: BrowserProcess, notes: Notes): Promise<Downloads> {
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  const { targetInfo } = await session.send('Target.getTargetInfo');
  await session.detach();
  return Downloads.watch({
    root,
    contextId: targetInfo.browserContextId!,
    folder: downloads,
    note: (line) => notes.add(line),
  });
}

/** Rejects with the signal's reason as soon as it fires. The work goes on. */
async function raced<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const stop = () => reject(signal.reason);
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  aborted.catch(() => {});
  work.catch(() => {});
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
