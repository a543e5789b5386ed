/**
 * The page that a task works on, in a browser context of its own: cookies, storage and cache are of this task alone. Whatever a
 * page does beside its own content is handled here and told to the model by `notices()`.
 * - No dialog waits: all are answered at once. Pop-ups, dialogs and downloads are bounded.
 * - The current page is the one that was opened or gone to last; if it is closed, the one before it.
 */
import type { BrowserContext, Dialog, FileChooser, Page } from 'playwright-core';
import { beginningOf } from '../../../platform/cut.ts';
import type { ToolContext } from '../tool.ts';
import { Dialogs } from './dialogs.ts';
import type { Downloads } from './downloads.ts';
import { actionMs, answerMs, loadMs, maxClosedPopups, maxDialogs, maxNotices, maxPages } from './page-limits.ts';
import { withinMs } from './within.ts';

/** The page of a task. */
export interface TaskPage {
  /** The current page. It changes when a pop-up opens or the page is closed, so it is not kept over an action. */
  readonly page: Page;
  readonly context: BrowserContext;
  /** All open pages; the last one is the current one. */
  readonly pages: readonly Page[];
  /** The number by which an agent names the page. */
  numberOf(page: Page): number;
  /** From now on the page is the current one. */
  show(page: Page): void;
  /**
   * Dialogs, pop-ups, downloads, refused requests and other news since it was last asked, one line each, oldest first. Lines may
   * have text of the page.
   */
  notices(): string[];
  /** Whether the page was opened again, without what was typed in, since `notices` was last asked. */
  readonly isAnew: boolean;
  readonly dialogs: Dialogs;
  /** The file chooser that the page has opened and nobody has answered; null if there is none. */
  fileChooser(): FileChooser | null;
  /** Ends the load of the current page, for instance after the time limit of a `goto`. What has arrived stays. */
  stopLoading(): Promise<void>;
  /** The task has been let go to this address, so the proxy lets pages load from its origin. */
  visits(url: URL): void;
  /** The proxy lets what is no GET go only where this allows it. */
  sendsOnly(may: (url: URL) => boolean): void;
  /** Why the last request to the host and port of this address got no reply; null if it got one. */
  whyUnreached(url: URL): string | null;
  /**
   * To be called at the end of each call that has acted, before `notices()`: stores downloads that have ended as artifacts of the
   * call, and keeps the address and the storage of the task, so that another node can go on from there.
   * @param keeps false where the call has changed nothing of these. Default: true.
   */
  settle(call: Pick<ToolContext, 'store'>, keeps?: boolean): Promise<void>;
}

export interface OpenPageOptions {
  readonly context: BrowserContext;
  readonly downloads: Downloads;
  /** The same list that `downloads` writes to. */
  readonly notes: Notes;
  readonly visits: (url: URL) => void;
  readonly sendsOnly: (may: (url: URL) => boolean) => void;
  readonly whyUnreached: (url: URL) => string | null;
  /** Keeps where the task is. */
  readonly keep: (page: OpenPage) => Promise<void>;
}

/** Lines for the model, bounded in number and length. */
export class Notes {
  #lines: string[] = [];
  #more = 0;

  add(line: string): void {
    const plain = beginningOf(line.replace(/\s/g, ' '), 400);
    if (this.#lines.includes(plain)) return;
    if (this.#lines.length >= maxNotices) this.#more++;
    else this.#lines.push(plain);
  }

  take(): string[] {
    const more = this.#more > 0 ? [`There were ${this.#more} further notices, which are left out.`] : [];
    const taken = [...this.#lines, ...more];
    this.#lines = [];
    this.#more = 0;
    return taken;
  }
}

/** A storm of pop-ups has ended when none came for this many ms. */
const stormMs = 2_000;
/** A page that is well answers within this many ms, unless the machine is busy. */
const atOnceMs = 500;
const downloadWaitMs = 5_000;
/** The target of a `fill` that answers the open file chooser. */
export const chooserName = 'file chooser';

export class OpenPage implements TaskPage {
  readonly context: BrowserContext;
  readonly #options: OpenPageOptions;
  #pages: Page[] = [];
  /** The last page that was open, also when none is. */
  #last: Page | null = null;
  #beingOpened: Promise<Page> | null = null;
  #crashed = new WeakSet<Page>();
  #dialogs = 0;
  #closedPopups = 0;
  /** Pages that were opened by others since `notices` was last asked. */
  #popups: { readonly number: number; readonly opener: number }[] = [];
  /** Whether pages that are opened by others are closed unseen. */
  #isStorm = false;
  #lastPopup = 0;
  #isAnew = false;
  readonly dialogs = new Dialogs();
  readonly #numbers = new Map<Page, number>();
  #lastNumber = 0;
  #chooser: FileChooser | null = null;

  private constructor(options: OpenPageOptions) {
    this.#options = options;
    this.context = options.context;
  }

  /** @param options `context` has its first page. */
  static open(options: OpenPageOptions): OpenPage {
    const open = new OpenPage(options);
    const { context } = options;
    context.setDefaultTimeout(actionMs);
    context.setDefaultNavigationTimeout(loadMs);
    context.on('page', (page) => open.#opened(page));
    for (const page of context.pages()) open.#opened(page);
    return open;
  }

  /** After the end of the context it is a closed page, so that a call that still uses it fails by itself. */
  get page(): Page {
    return this.#pages.at(-1) ?? this.#last!;
  }
  get pages(): readonly Page[] {
    return this.#pages;
  }
  get notes(): Notes {
    return this.#options.notes;
  }

  get isAnew(): boolean {
    return this.#isAnew;
  }
  /** The page was opened again: what was typed in is gone. */
  openedAnew(): void {
    this.#isAnew = true;
  }

  notices(): string[] {
    this.#isAnew = false;
    this.#dialogs = 0;
    this.#closedPopups = 0;
    return [...this.#newPages(), ...this.notes.take()];
  }
  /** A line about the pages that were opened since it was last asked. */
  #newPages(): string[] {
    const [first, ...more] = this.#popups;
    this.#popups = [];
    if (!first) return [];
    if (more.length > 0)
      return [`The page opened ${more.length + 1} other pages. The current one is page ${this.numberOf(this.page)}.`];
    const back = `goto with url "page ${first.opener}" goes back, with "close" it is closed`;
    return [`The page opened another page, which is the current one now: page ${first.number} (${back}).`];
  }
  numberOf(page: Page): number {
    return this.#numbers.get(page) ?? 0;
  }
  show(page: Page): void {
    if (page === this.page || !this.#pages.includes(page)) return;
    this.#pages = [...this.#pages.filter((it) => it !== page), page];
    this.#last = page;
    this.#chooser = null;
  }
  fileChooser(): FileChooser | null {
    return this.#chooser;
  }
  visits(url: URL): void {
    this.#options.visits(url);
  }
  sendsOnly(may: (url: URL) => boolean): void {
    this.#options.sendsOnly(may);
  }
  whyUnreached(url: URL): string | null {
    return this.#options.whyUnreached(url);
  }
  async stopLoading(): Promise<void> {
    await withinMs(answerMs, stopped(this.context, this.page)).catch(() => {});
  }
  async settle(call: Pick<ToolContext, 'store'>, keeps = true): Promise<void> {
    if (!this.#options.downloads.isEmpty) await this.#options.downloads.settle(call, downloadWaitMs);
    if (keeps) await this.#options.keep(this);
  }

  /** Whether the current page can be used as it is. */
  async answersAtOnce(): Promise<boolean> {
    const { page } = this;
    if (this.#isStorm || page.isClosed() || this.#crashed.has(page)) return false;
    return withinMs(atOnceMs, page.evaluate('1')).then(
      () => true,
      () => false,
    );
  }

  /** Makes sure that there is a page that can be used. @returns the address of the page that was lost, or null. */
  async ensureUsable(signal: AbortSignal): Promise<string | null> {
    if (this.#isStorm && performance.now() - this.#lastPopup > stormMs) this.#isStorm = false;
    await this.#beingOpened?.catch(() => {});
    const { page } = this;
    if (!page.isClosed()) {
      if (!this.#crashed.has(page) && (await this.#answers(page, signal))) return null;
      const url = page.url();
      if (!this.#crashed.has(page)) this.notes.add(`The page did not answer for ${answerMs / 1_000} s, so it was closed.`);
      await this.#drop(page);
      if (this.#pages.length === 0) await this.#emptyPage();
      return url;
    }
    await this.#emptyPage();
    return null;
  }

  /** Opens one page, also for callers that come while it is being opened. */
  #emptyPage(): Promise<unknown> {
    this.#beingOpened ??= this.context
      .newPage()
      .then((page) => {
        if (!this.#pages.includes(page)) this.#admit(page);
        return page;
      })
      .finally(() => {
        this.#beingOpened = null;
      });
    return this.#beingOpened;
  }

  async #answers(page: Page, signal: AbortSignal): Promise<boolean> {
    const asked = page.evaluate('1');
    const isAnswered = (ms: number) =>
      withinMs(ms, asked, signal).then(
        () => true,
        (cause) => {
          signal.throwIfAborted();
          // A page that has just moved on answers with an error of its own.
          return !page.isClosed() && /context was destroyed|navigat/i.test(String(cause));
        },
      );
    if (await isAnswered(answerMs / 2)) return true;
    // A page whose load goes on for ever answers when that is stopped.
    const stopping = stopped(this.context, page);
    stopping.catch(() => {});
    if (!(await isAnswered(answerMs / 2))) return false;
    // A stop that comes later would end the load that is asked for next.
    return withinMs(answerMs, stopping, signal).then(
      () => true,
      () => {
        signal.throwIfAborted();
        return false;
      },
    );
  }

  #opened(page: Page): void {
    if (this.#isStorm) {
      this.#lastPopup = performance.now();
      void this.#closeUnlessOwn(page);
      return;
    }
    if (this.#pages.length > maxPages) {
      this.#closedPopups++;
      this.notes.add(`The page opened more than ${maxPages} further pages. The newest are closed at once.`);
      void page.close().catch(() => {});
      if (this.#closedPopups > maxClosedPopups) void this.#endStorm();
      return;
    }
    this.#admit(page);
  }

  /**
   * Closes all pages, since those that the page has opened are in its process and stand still with it. Those that still come are
   * closed too, until no more do.
   */
  async #endStorm(): Promise<void> {
    this.#isStorm = true;
    this.#lastPopup = performance.now();
    this.notes.add(
      'The page was closed, with those that it had opened: it went on opening pages. Call goto with another address.',
    );
    const pages = this.#pages;
    this.#pages = [];
    this.#popups = [];
    this.#numbers.clear();
    await Promise.all([
      this.#emptyPage(),
      ...pages.map((page) => withinMs(answerMs, page.close({ runBeforeUnload: false }))),
    ]).catch(() => {});
  }

  async #closeUnlessOwn(page: Page): Promise<void> {
    const own = await this.#beingOpened?.catch(() => null);
    if (page !== own) await page.close().catch(() => {});
  }

  #admit(page: Page): void {
    const number = ++this.#lastNumber;
    this.#numbers.set(page, number);
    if (this.#pages.length > 0) {
      this.#popups.push({ number, opener: this.numberOf(this.page) });
      this.#chooser = null;
    }
    this.#pages.push(page);
    this.#last = page;
    page.on('dialog', (dialog) => void this.#answer(page, dialog));
    page.on('filechooser', (chooser) => {
      this.#chooser = chooser;
      this.notes.add(
        `The page asks for a file. No file was given to it. To give one, call fill with target "${chooserName}" and \`file\`.`,
      );
    });
    page.on('crash', () => {
      this.#crashed.add(page);
      this.notes.add('The page crashed, perhaps for want of memory.');
    });
    page.on('close', () => this.#closed(page));
    page.on('framenavigated', (frame) => {
      if (frame === page.mainFrame()) this.#chooser = null;
    });
    this.#options.downloads.of(page);
  }

  #closed(page: Page): void {
    if (!this.#pages.includes(page)) return;
    const wasCurrent = page === this.page;
    this.#pages = this.#pages.filter((it) => it !== page);
    this.#numbers.delete(page);
    if (wasCurrent && this.#pages.length > 0)
      this.notes.add(
        `The page was closed. The page that was open before it is the current one again: page ${this.numberOf(this.page)}.`,
      );
    if (this.#pages.length === 0) {
      this.notes.add('The last page was closed. An empty one is open now; call goto.');
      void this.#emptyPage().catch(() => {});
    }
  }

  async #answer(page: Page, dialog: Dialog): Promise<void> {
    const kind = dialog.type();
    // A page that is told to stay would hold the task for ever.
    const isLeaving = kind === 'beforeunload';
    const { accept, text, note } = isLeaving ? leaving : this.dialogs.answerTo(kind, dialog.message());
    this.#dialogs++;
    this.notes.add(note);
    await (accept ? dialog.accept(text ?? dialog.defaultValue()) : dialog.dismiss()).catch(() => {});
    if (this.#dialogs > maxDialogs) this.#punish(page, 'it went on showing dialogs');
  }

  /** Closes a page that does not let anybody work. */
  #punish(page: Page, why: string): void {
    if (!this.#pages.includes(page)) return;
    this.notes.add(`The page was closed: ${why}.`);
    void this.#drop(page);
  }

  async #drop(page: Page): Promise<void> {
    this.#pages = this.#pages.filter((it) => it !== page);
    this.#numbers.delete(page);
    if (this.#pages.length === 0) await this.#emptyPage().catch(() => {});
    await withinMs(answerMs, page.close({ runBeforeUnload: false })).catch(() => {});
  }

  /** Ends the context of the task. Idempotent. */
  async close(): Promise<void> {
    this.#options.downloads.stop();
    // Events of pages that are being closed change nothing any more.
    this.#pages = [];
    await withinMs(answerMs, this.context.close()).catch(() => {});
  }
}

const leaving = { accept: true, text: undefined, note: 'The page asked whether it may be left; it was left.' };

async function stopped(context: BrowserContext, page: Page): Promise<void> {
  const session = await context.newCDPSession(page);
  await session.send('Page.stopLoading');
  await session.detach();
}
