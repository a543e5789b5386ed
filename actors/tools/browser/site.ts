/**
 * The page that a call works on. A task sees and touches only pages of origins that it may visit: those that the roster lists, and
 * those to which its operator or the roster has let it go. Wherever else a page has gone by itself, nothing of it is shown.
 */
import { stripVTControlCharacters } from 'node:util';
import type { BrowserContext, Page } from 'playwright-core';
import { codeOf, messageOf } from '../../../platform/errors.ts';
import type { ToolContext } from '../tool.ts';
import type { WebPolicy } from '../web/web-policy.ts';
import { shownUrl } from './page-words.ts';

/** The page of a task. */
export interface TaskPage {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Dialogs, pop-ups, downloads and refused requests since it was last asked, one line each. */
  notices(): readonly string[];
}
/** The pages of all tasks of a node. */
export interface Pages {
  pageFor(task: string, signal: AbortSignal): Promise<TaskPage>;
}
export interface BrowserTools {
  readonly pages: Pages;
  readonly policy: () => WebPolicy;
}

export interface Site extends TaskPage {
  readonly policy: WebPolicy;
  mayVisit(url: string): boolean;
  /** From now on the task may visit this origin. */
  enter(url: string): void;
}

const entered = new WeakMap<BrowserContext, Set<string>>();

export async function siteOf(
  { pages, policy }: BrowserTools,
  { task, signal }: Pick<ToolContext, 'task' | 'signal'>,
): Promise<Site> {
  const taskPage = await pages.pageFor(task, signal);
  const { context, page } = taskPage;
  // A page that was restored after a crash is where the task was let to go before.
  const origins = entered.get(context) ?? new Set(originOf(page.url()) ?? []);
  entered.set(context, origins);
  const rules = policy();
  return {
    ...{ page, context, policy: rules, notices: () => taskPage.notices() },
    mayVisit: (url) => {
      const origin = originOf(url);
      return origin !== null && (origins.has(origin) || rules.verdict('leave', new URL(url)) === 'allow');
    },
    enter: (url) => {
      const origin = originOf(url);
      if (origin !== null) origins.add(origin);
    },
  };
}

/** @returns null for addresses that are not of the web, such as `about:blank`. */
export function originOf(url: string): string | null {
  try {
    const { protocol, origin } = new URL(url);
    return protocol === 'http:' || protocol === 'https:' ? origin : null;
  } catch {
    return null;
  }
}

/** @throws Error for the model if no page is open, or if it is one that the task may not visit. */
export async function openSite(tools: BrowserTools, context: Pick<ToolContext, 'task' | 'signal'>): Promise<Site> {
  const site = await siteOf(tools, context);
  mustBeOpen(site);
  return site;
}

export function mustBeOpen(site: Site): void {
  const url = site.page.url();
  if (url === 'about:blank' || url === '') throw new Error('no page is open; call goto with the address first');
  const why = strayed(site);
  if (why !== null) throw new Error(why);
}

/** @returns why nothing of the present page may be shown; null if it may. */
export function strayed(site: Site): string | null {
  const url = site.page.url();
  if (url.startsWith('chrome-error:')) return 'The page could not be loaded; call goto with an address.';
  if (originOf(url) === null || site.mayVisit(url)) return null;
  return `the page has gone to ${shownUrl(url)}, and this origin is not allowed for the task. Nothing of it is shown. Call goto with this address to ask for it, or goto another page.`;
}

/** Its errors begin with the call that failed: `locator.click: `. */
const ofPlaywright = /^[a-zA-Z]+\.[a-zA-Z]+: /;
export const isOfPlaywright = (cause: unknown): boolean => ofPlaywright.test(messageOf(cause));

/** Words for the model about what went wrong, instead of the log of playwright-core. */
export function plainError(cause: unknown): string {
  const message = stripVTControlCharacters(messageOf(cause));
  return message.replace(ofPlaywright, '').split('\nCall log:')[0]!.trim();
}

/** Whether the browser or the page ended while the call ran. */
export const isLost = (cause: unknown): boolean =>
  /Target (?:page, context or browser has been closed|closed|crashed)|Page crashed|browser has been closed|Browser closed|Protocol error/.test(
    messageOf(cause),
  ) || codeOf(cause) === 'browser-lost';
