/**
 * The browser of a node, and the pages of its tasks. Chromium starts with the first page, and one serves all tasks of the node.
 * Invariants:
 * - A task has one context, which ends with the task. A task that is parked keeps its page here for a while.
 * - A page is never older than what is kept of its task: if another node has gone on with it, it is opened again from there.
 * - Chromium ends when it has had no page for a while, and with the node.
 */
import { messageOf } from '../../../platform/errors.ts';
import { unlessAborted } from '../../../platform/time-limit.ts';
import { type KeptPage, type KeptPages, nothingKept, type Origins, readKept } from './kept-page.ts';
import { restoreMs } from './page-limits.ts';
import { Places } from './places.ts';
import { type BrowserOptions, type ProxyLogin, type Running, SharedBrowser } from './shared-browser.ts';
import { openContext } from './task-context.ts';
import { OpenPage, type TaskPage } from './task-page.ts';

export interface BrowsersOptions extends BrowserOptions {
  readonly kept: KeptPages;
  /** The most tasks that have a page at once. Default: 12. The page of the task that used it least recently is closed first. */
  readonly maxContexts?: number;
  /** Milliseconds for which a parked task keeps its page on this node. Default: 10 minutes. */
  readonly parkedMs?: number;
  /** Milliseconds for which Chromium stays without a page. Default: a minute. */
  readonly emptyMs?: number;
}

type Latest = Awaited<ReturnType<KeptPages['read']>>;

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
  readonly #browser: SharedBrowser;
  readonly #places: Places;
  /** Pages that are being opened now. */
  #opening = 0;
  #empty: NodeJS.Timeout | null = null;

  constructor(options: BrowsersOptions) {
    this.#options = options;
    this.#browser = new SharedBrowser(options);
    this.#places = new Places(options.maxContexts ?? 12, () => this.#closeOne());
  }

  /**
   * The page of a task. It is opened, or opened again where the task was, if it is not there or does not answer; `notices()` then
   * says so.
   * @throws CoxError `no-browser`, `browser-failed`, those of fetching one; the signal's reason.
   */
  pageFor(task: string, signal: AbortSignal): Promise<TaskPage> {
    // An opening that nobody waits for any more goes on, since the next call wants the page.
    return unlessAborted(
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
    if (this.#empty) clearTimeout(this.#empty);
    for (const { parked } of this.#entries.values()) if (parked) clearTimeout(parked);
    this.#entries.clear();
    const closing = this.#browser.close();
    this.#places.changed();
    await closing;
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
    // A page that answers is one of a browser that answers.
    if (await entry.open.answersAtOnce()) {
      this.#used(entry);
      return entry.open;
    }
    if (!(await entry.running.process.answers())) {
      await this.#lost(entry.running);
      const notes = entry.open.notes.take();
      const reopened = await this.#open(task, latest, 'The browser ended or hung');
      if (latest === null) reopened.open.notes.add('The browser ended or hung. No page is open now; call goto.');
      for (const note of notes) reopened.open.notes.add(note);
      return reopened.open;
    }
    this.#used(entry);
    const lostUrl = await entry.open.ensureUsable(this.#browser.signal);
    if (lostUrl !== null) await this.#goBackTo(entry, { url: lostUrl, isPartial: false, further: 0 });
    return entry.open;
  }

  /** The kept state of the page, or null. Without the bus the page that is here is used. */
  async #latest(task: string): Promise<Latest> {
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

  async #open(task: string, latest: Latest, why: string): Promise<Entry> {
    this.#opening++;
    if (this.#empty) clearTimeout(this.#empty);
    try {
      return await this.#openNow(task, latest, why);
    } finally {
      this.#opening--;
      this.#endsWhenEmpty();
    }
  }

  async #openNow(task: string, latest: Latest, why: string): Promise<Entry> {
    const kept = latest?.page ?? null;
    const place = await this.#places.take();
    const running = await this.#browser.start().catch(place.failed);
    const { context, downloads, notes, login } = await openContext(running, task, kept).catch(place.failed);
    context.once('close', place.free);
    const origins: Origins = new Map(kept?.origins.map((it) => [it.origin, it]));
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
        sendsOnly: (may) => login?.sendsOnly(may),
        whyUnreached: (url) => login?.whyUnreached(url) ?? null,
        keep: () => this.#keep(entry),
      }),
    };
    this.#entries.set(task, entry);
    this.#places.changed();
    if (kept && !isNothing(kept)) {
      notes.add(kept.url === 'about:blank' ? `${why}. No page is open now.` : `${why}.`);
      await this.#goBackTo(entry, kept);
    }
    return entry;
  }

  async #goBackTo({ open, login }: Entry, kept: Pick<KeptPage, 'url' | 'isPartial' | 'further'>): Promise<void> {
    const { url, isPartial, further } = kept;
    if (!/^https?:/.test(url)) return;
    login?.visits(new URL(url));
    open.openedAnew();
    const lost = [
      'what was typed into forms, the scroll position and the history of the page',
      ...(isPartial ? ['a part of its storage'] : []),
      ...(further > 0 ? [`${further} further open ${further === 1 ? 'page' : 'pages'}`] : []),
    ];
    try {
      await open.page.goto(url, { waitUntil: 'commit', timeout: restoreMs });
      await open.page.waitForLoadState('domcontentloaded', { timeout: restoreMs }).catch(() => open.stopLoading());
      // A page that hangs or crashes as soon as it is opened would otherwise keep the task for ever.
      if ((await open.ensureUsable(this.#browser.signal)) !== null)
        return open.notes.add(
          `The page was opened again at ${url}, to no avail. It stays closed; call goto with another address.`,
        );
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

  /**
   * Makes room for another page. Those of parked tasks go first, and of each sort the one that was used least recently.
   * @returns false if no page is open that could be closed.
   */
  async #closeOne(): Promise<boolean> {
    this.#browser.signal.throwIfAborted();
    const entries = [...this.#entries.values()];
    const oldest = entries.find(({ parked }) => parked !== null) ?? entries[0];
    if (!oldest) return false;
    await this.#keep(oldest);
    if (this.#entries.get(oldest.task) === oldest) await this.#drop(oldest.task);
    return true;
  }

  async #drop(task: string): Promise<void> {
    const entry = this.#entries.get(task);
    if (!entry) return;
    this.#entries.delete(task);
    if (entry.parked) clearTimeout(entry.parked);
    entry.login?.end();
    await entry.open.close();
    this.#endsWhenEmpty();
  }

  get #isEmpty(): boolean {
    return this.#entries.size === 0 && this.#opening === 0;
  }

  #endsWhenEmpty(): void {
    if (!this.#isEmpty || this.#browser.signal.aborted) return;
    if (this.#empty) clearTimeout(this.#empty);
    this.#empty = setTimeout(() => void this.#closeEmpty(), this.#options.emptyMs ?? 60_000);
    this.#empty.unref();
  }

  async #closeEmpty(): Promise<void> {
    const running = await this.#browser.running();
    if (running && this.#isEmpty) await this.#lost(running);
  }

  /** Ends a browser that is not wanted any more or does not answer. Its tasks get another one with their next call. */
  async #lost(running: Running): Promise<void> {
    for (const entry of [...this.#entries.values()])
      if (entry.running === running) {
        entry.login?.end();
        if (entry.parked) clearTimeout(entry.parked);
        this.#entries.delete(entry.task);
      }
    await this.#browser.end(running);
  }
}

const isNothing = ({ url, isPartial }: KeptPage): boolean => url === 'about:blank' && !isPartial;
