/**
 * The page that a call works on. A task sees and touches only pages of origins that it may visit: those that the roster lists, and
 * those to which its operator or the roster has let it go. Wherever else a page has gone by itself, nothing of it is shown.
 */
import { stripVTControlCharacters } from 'node:util';
import type { BrowserContext, FileChooser, Page } from 'playwright-core';
import { messageOf } from '../../../platform/errors.ts';
import type { ToolContext } from '../tool.ts';
import type { WebPolicy } from '../web/web-policy.ts';
import type { Dialogs } from './dialogs.ts';
import { type Outbox, outboxOf } from './outbox.ts';
import { shownUrl } from './page-words.ts';
import type { TaskPage } from './task-page.ts';

/** The pages of all tasks of a node: `Browsers`. */
export interface Pages {
  pageFor(task: string, signal: AbortSignal): Promise<TaskPage>;
}
export interface BrowserTools {
  readonly pages: Pages;
  readonly policy: () => WebPolicy;
}

export interface Site {
  /** The current page. An act may open another one. */
  readonly page: Page;
  readonly policy: WebPolicy;
  readonly outbox: Outbox;
  readonly dialogs: Dialogs;
  /** All open pages by their numbers. */
  pages(): ReadonlyMap<number, Page>;
  /** From now on the page is the current one. */
  show(page: Page): void;
  /** The file chooser that the current page has opened and nobody has answered; null if there is none. */
  fileChooser(): FileChooser | null;
  /** Whether there is a page; there is none once the browser has ended. */
  isOpen(): boolean;
  mayVisit(url: string): boolean;
  /** From now on the task may visit this origin. */
  enter(url: string): void;
  /** Why nothing came from the server of this address when it was last asked; null if something came. */
  whyUnreached(url: string): string | null;
  /** To be called after an act: keeps downloads, and where the task is. @param keeps false: it is where it was. Default: true. */
  settle(keeps?: boolean): Promise<void>;
  /** Whether the page was opened again, without what was typed in, and the agent has not been told of it. */
  isAnew(): boolean;
  /** Dialogs, pop-ups, downloads and refused requests since it was last asked, one line each. */
  notices(): readonly string[];
}

const entered = new WeakMap<BrowserContext, Set<string>>();
const sites = new WeakMap<object, Site>();

/** The site that the call with this context works on, once it is open. */
export const siteAt = (context: object): Site | null => sites.get(context) ?? null;

type Call = Pick<ToolContext, 'task' | 'signal' | 'store' | 'idempotencyKey'>;

interface Looked {
  readonly call: string;
  readonly at: number;
  readonly taskPage: TaskPage;
}
/** The page that a call was looked at on before it runs. */
const looked = new WeakMap<Pages, Map<string, Looked>>();
/** For this many ms a call works on the page that it was looked at on, without asking anew whether the page answers. */
const freshMs = 2_000;
const maxLooked = 100;

async function pageOf(pages: Pages, { task, signal, idempotencyKey: call }: Call): Promise<TaskPage> {
  const all = looked.get(pages) ?? new Map<string, Looked>();
  looked.set(pages, all);
  const last = all.get(task);
  all.delete(task);
  const isFresh = last?.call === call && performance.now() - last.at < freshMs;
  if (isFresh && !last.taskPage.page.isClosed() && last.taskPage.context.browser()?.isConnected()) return last.taskPage;
  const taskPage = await pages.pageFor(task, signal);
  all.set(task, { call, at: performance.now(), taskPage });
  for (const first of all.keys()) if (all.size > maxLooked) all.delete(first);
  return taskPage;
}

export async function siteOf({ pages, policy }: BrowserTools, call: Call): Promise<Site> {
  const { store } = call;
  const taskPage = await pageOf(pages, call);
  const { context } = taskPage;
  // A page that was restored after a crash is where the task was let to go before.
  const origins = entered.get(context) ?? new Set([originOf(taskPage.page.url()) ?? []].flat());
  entered.set(context, origins);
  const rules = policy();
  const mayVisit = (url: string, by = policy()) => {
    const origin = originOf(url);
    return origin !== null && (origins.has(origin) || by.verdict('leave', new URL(origin)) === 'allow');
  };
  const outbox = await outboxOf(context, policy, mayVisit);
  taskPage.sendsOnly((url) => outbox.mayBeReached(url));
  const site: Site = {
    get page() {
      return taskPage.page;
    },
    policy: rules,
    outbox,
    dialogs: taskPage.dialogs,
    pages: () => new Map(taskPage.pages.map((page) => [taskPage.numberOf(page), page] as const).sort(([a], [b]) => a - b)),
    show: (page) => taskPage.show(page),
    fileChooser: () => taskPage.fileChooser(),
    isOpen: () => taskPage.pages.length > 0,
    whyUnreached: (url) => (originOf(url) === null ? null : taskPage.whyUnreached(new URL(url))),
    isAnew: () => taskPage.isAnew,
    notices: () => [...outbox.notices(), ...taskPage.notices()],
    settle: (keeps) => taskPage.settle({ ...(store && { store }) }, keeps),
    mayVisit: (url) => mayVisit(url, rules),
    enter: (url) => {
      const origin = originOf(url);
      if (origin === null) return;
      origins.add(origin);
      taskPage.visits(new URL(url));
    },
  };
  sites.set(call, site);
  return site;
}

/** @returns null for addresses that are not of the web, such as `about:blank`. A `blob:` is of the origin that made it. */
export function originOf(url: string): string | null {
  try {
    const { protocol, origin } = new URL(url);
    return /^(?:https?|blob):$/.test(protocol) && origin !== 'null' ? origin : null;
  } catch {
    return null;
  }
}

/** @throws Error for the model if no page is open, or if it is one that the task may not visit. */
export async function openSite(tools: BrowserTools, context: Call): Promise<Site> {
  const site = await siteOf(tools, context);
  mustBeOpen(site);
  return site;
}

function mustBeOpen(site: Site): void {
  const url = site.page.url();
  if (url === 'about:blank' || url === '') throw new Error('no page is open; call goto with the address first');
  const why = strayed(site);
  if (why !== null) throw new Error(why);
}

/** @returns why nothing of the present page may be shown; null if it may. */
export function strayed(site: Site, url = site.page.url()): string | null {
  if (url.startsWith('chrome-error:')) return 'The page could not be loaded; call goto with an address.';
  // The page that opened an empty page may have written into it.
  if (url === 'about:blank')
    return ['no page is open: the current one is about:blank. Call goto with an address.', ...otherPages(site)].join(' ');
  if (site.mayVisit(url)) return null;
  return `the page has gone to ${shownUrl(url)}, and this origin is not allowed for the task. Nothing of it is shown. Call goto with this address to ask for it, or goto another page.`;
}

const otherPages = (site: Site): string[] =>
  [...site.pages()].flatMap(([number, page]) =>
    page === site.page ? [] : [`goto "page ${number}" goes to ${shownUrl(page.url(), 100)}.`],
  );

/** After a look at the page, which may have gone on meanwhile. @throws Error for the model if it may not visit what was seen. */
export function mustNotHaveStrayed(site: Site, url?: string): void {
  const why = strayed(site, url);
  if (why !== null) throw new Error(why);
}

/** Its errors begin with the call that failed: `locator.click: `. */
const ofPlaywright = /^[a-zA-Z]+\.[a-zA-Z]+: /;
export const isOfPlaywright = (cause: unknown): boolean => ofPlaywright.test(messageOf(cause));

/** Words for the model about what went wrong, instead of the log of playwright-core. */
export function plainError(cause: unknown): string {
  const message = stripVTControlCharacters(messageOf(cause));
  return message.replace(ofPlaywright, '').split('\nCall log:')[0]!.trim();
}

/** Whether the browser or its page crashed while the call ran. A page that has closed itself is gone, and nothing is lost. */
export function isLost(page: Page, cause: unknown): boolean {
  const said = messageOf(cause);
  if (/crashed/i.test(said)) return true;
  const isGone = /has been closed|Target closed|Browser closed|Protocol error/.test(said);
  return isGone && !(page.isClosed() && page.context().browser()?.isConnected());
}
