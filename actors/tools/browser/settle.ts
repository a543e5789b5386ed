/** Runs an action on a page, and waits for what it has set off: requests, a new page. */
import type { Page, Request } from 'playwright-core';
import { wasStopped } from './outbox.ts';
import { withinMs } from './within.ts';

/** A request that sent something, by its method. */
export interface Sent {
  readonly url: string;
  readonly method: string;
  readonly isNavigation: boolean;
}

const maxWaitMs = 10_000;
/** Longest wait for requests of scripts: some pages always have one open. */
const maxScriptWaitMs = 1_500;
/** Longest wait for the first request of an action that is meant to send something. */
const firstRequestMs = 1_000;
const scripted = new Set(['xhr', 'fetch', 'script']);

/**
 * @param sends whether the action is meant to send something: then the first request is waited for, since a page may look at a form
 * before it sends it, and an agent that saw nothing happen would send it again. Default: false.
 * @returns the requests that the action has set off.
 */
export async function settled(page: Page, signal: AbortSignal, run: () => Promise<unknown>, sends = false): Promise<Sent[]> {
  const open = new Set<Request>();
  const sent = new Map<Request, Sent>();
  let heard = Promise.withResolvers<void>();
  const begun = (request: Request) => {
    const type = request.resourceType();
    const isDocument = type === 'document' && request.isNavigationRequest();
    const isSent = (isDocument || request.method() !== 'GET') && type !== 'ping';
    if (isSent) sent.set(request, { url: request.url(), method: request.method(), isNavigation: isDocument });
    if (isDocument || scripted.has(type)) open.add(request);
    else if (!isSent) return;
    heard.resolve();
    heard = Promise.withResolvers<void>();
  };
  const ended = (request?: Request) => {
    if (request) open.delete(request);
    heard.resolve();
    heard = Promise.withResolvers<void>();
  };
  const context = page.context();
  context.on('request', begun);
  context.on('requestfinished', ended);
  context.on('requestfailed', ended);
  // Of a page that has ended nothing comes any more.
  const closed = () => ended();
  page.on('close', closed);
  try {
    await run();
    // The handlers of the page have run by then, and their requests have begun.
    await withinMs(300, page.evaluate('new Promise((done) => setTimeout(done))'), signal).catch(() => {});
    if (sends && open.size === 0 && sent.size === 0) await withinMs(firstRequestMs, heard.promise, signal).catch(() => {});
    signal.throwIfAborted();
    const start = performance.now();
    for (;;) {
      const isLoading = [...open].some((request) => request.isNavigationRequest());
      const left = (isLoading ? maxWaitMs : maxScriptWaitMs) - (performance.now() - start);
      if (open.size === 0 || left <= 0 || page.isClosed()) break;
      await withinMs(left, heard.promise, signal).catch(() => {});
      signal.throwIfAborted();
    }
    await page.waitForLoadState('domcontentloaded', { timeout: 5_000 }).catch(() => {});
  } finally {
    context.off('request', begun);
    context.off('requestfinished', ended);
    context.off('requestfailed', ended);
    page.off('close', closed);
  }
  return [...sent].flatMap(([request, one]) => (wasStopped(request) ? [] : [one]));
}
