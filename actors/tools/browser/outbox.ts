/**
 * The requests by which pages of a task send something, by whatever script. A click says by its control what it would send, and a
 * page can do something else; so each request that is no GET is looked at before it leaves the browser. Invariants:
 * - A form leaves only to an origin to which the rules or the operator have let the present act send. A hidden frame may send one
 *   while nothing is clicked or typed, as log-ins do.
 * - A script sends nothing where the rules deny it, and nothing that the task has typed by a click about which nobody was asked,
 *   nor to another origin than the operator was told. That includes the address of a GET, where the task may not visit its origin.
 * - What the operator has let a call do ends some seconds after the call.
 * - What was stopped is known of the call, so that the operator is asked when it is made again.
 */
import type { BrowserContext, Page, Request, Route } from 'playwright-core';
import { beginningOf } from '../../../platform/cut.ts';
import type { WebPolicy } from '../web/web-policy.ts';
import type { Consequence } from './consequence.ts';
import { inOnePageLine, shownUrl } from './page-words.ts';

/** A call of a tool that acts on a page. */
export interface Deal {
  /** The same for the same call on the same page. */
  readonly key: string;
  /** `touch` may send when it was let, `goto` too; `fill` never sends. */
  readonly kind: 'touch' | 'goto' | 'fill';
  /** The acts that the rules or the operator have let it do. */
  readonly let: readonly Consequence[];
}
interface Stopped {
  readonly url: string;
  readonly body: string;
}

/** Requests of one task in `windowMs`. Each is judged by the node, so a page that makes more is closed. */
const maxRequests = 2_000;
const windowMs = 5_000;
/** Requests of one task that wait for their judgement at once. */
const maxWaiting = 1_500;
const maxKnown = 50;
const maxTyped = 200;
const maxLines = 8;
/** Shorter texts stand in many requests by chance. */
const minTypedChars = 3;
const minToldChars = 6;
const maxBodyBytes = 5_000_000;
/** For this many ms after a call its page may still send what the call was let to send: some pages check a form first. */
const graceMs = 10_000;
/** Origins to which something that is no GET has left. */
const maxReached = 50;
const maxShownChars = 1_000;

const isReading = (request: Request): boolean => /^(?:GET|HEAD|OPTIONS)$/.test(request.method());

const outboxes = new WeakMap<BrowserContext, Outbox>();
const stopped = new WeakSet<Request>();

/** Whether it never left the browser. */
export const wasStopped = (request: Request): boolean => stopped.has(request);

/** @param mayVisit whether the task may be at the address without being asked. */
export async function outboxOf(
  context: BrowserContext,
  policy: () => WebPolicy,
  mayVisit: (url: string) => boolean,
): Promise<Outbox> {
  const known = outboxes.get(context);
  if (known) return known;
  const outbox = new Outbox(policy, mayVisit);
  outboxes.set(context, outbox);
  await context.route(
    () => true,
    (route) => outbox.judge(route),
  );
  return outbox;
}

export class Outbox {
  readonly #policy: () => WebPolicy;
  readonly #known = new Map<string, Map<string, Stopped>>();
  readonly #typed = new Set<string>();
  readonly #mayVisit: (url: string) => boolean;
  /** The last origins to which something that is no GET has left. */
  readonly #reached = new Set<string>();
  #deal: Deal = { key: '', kind: 'goto', let: [] };
  /** When what the call was let to do ends, in milliseconds of `performance.now()`. */
  #until = Number.POSITIVE_INFINITY;
  #lines: string[] = [];
  #waiting = 0;
  #window = { since: 0, requests: 0 };
  /** Pages that have made too many requests. */
  readonly #closed = new WeakSet<Page>();

  constructor(policy: () => WebPolicy, mayVisit: (url: string) => boolean) {
    this.#policy = policy;
    this.#mayVisit = mayVisit;
  }

  /** From now on what pages send is of this call. */
  begin(deal: Deal): void {
    this.#deal = deal;
    this.#until = Number.POSITIVE_INFINITY;
  }

  /** The call has ended. */
  end(afterMs = graceMs): void {
    this.#until = performance.now() + afterMs;
  }

  /** Whether the present call was let to send something to this address. */
  #maySendTo(url: string): boolean {
    if (performance.now() >= this.#until) return false;
    return this.#deal.let.some((one) => one.action !== 'leave' && originIn(one.url) === originIn(url));
  }

  /** Whether something that is no GET may go to this address by way of a redirect, which only the proxy sees. */
  mayBeReached(url: URL): boolean {
    return this.#reached.has(url.origin) || this.#verdict(url.href) === 'allow';
  }

  /** The task has typed this into a page. */
  typed(text: string): void {
    if (text.trim().length < minTypedChars) return;
    this.#typed.delete(text);
    this.#typed.add(text);
    for (const first of this.#typed) if (this.#typed.size > maxTyped) this.#typed.delete(first);
  }

  /** The requests that the same call was stopped from sending before. */
  known(key: string): readonly Stopped[] {
    return [...(this.#known.get(key)?.values() ?? [])];
  }

  /** The requests that were stopped since it was last asked, one line each. */
  notices(): string[] {
    const lines = this.#lines;
    this.#lines = [];
    return lines;
  }

  async judge(route: Route): Promise<void> {
    this.#waiting++;
    try {
      await this.#judge(route);
    } finally {
      this.#waiting--;
    }
  }

  async #judge(route: Route): Promise<void> {
    const request = route.request();
    const page = pageOf(request);
    if ((page && this.#closed.has(page)) || this.#isStorm()) return this.#close(route, page);
    const why = this.#whyNot(request);
    if (why === null) {
      if (!isReading(request)) this.#reach(request.url());
      return route.continue().catch(() => {});
    }
    stopped.add(request);
    this.#stop(request, why);
    await route.abort('aborted').catch(() => {});
    if (request.isNavigationRequest()) await closeEmpty(request);
  }

  #reach(url: string): void {
    const origin = originIn(url);
    this.#reached.delete(origin);
    this.#reached.add(origin);
    for (const first of this.#reached) if (this.#reached.size > maxReached) this.#reached.delete(first);
  }

  #isStorm(): boolean {
    const now = performance.now();
    if (now - this.#window.since > windowMs) this.#window = { since: now, requests: 0 };
    // A busy node counts fewer of them in the time.
    return ++this.#window.requests > maxRequests || this.#waiting > maxWaiting;
  }

  async #close(route: Route, page: Page | null): Promise<void> {
    stopped.add(route.request());
    if (page && this.#closed.has(page)) return route.abort('aborted').catch(() => {});
    if (page) {
      this.#closed.add(page);
      this.#window.requests = 0;
    }
    const line = `The page was closed: it made more than ${maxRequests} requests in ${windowMs / 1_000} s.`;
    if (!this.#lines.includes(line)) this.#lines.push(line);
    await Promise.all([route.abort('aborted').catch(() => {}), page?.close().catch(() => {})]);
  }

  /** @returns why it must not be sent; null if it may. */
  #whyNot(request: Request): 'denied' | 'unasked' | null {
    const url = request.url();
    const verdict = this.#verdict(url);
    if (verdict === 'allow' || this.#maySendTo(url)) return null;
    const { kind } = this.#deal;
    if (isReading(request)) {
      if (this.#mayVisit(url) || !this.#isTold(url)) return null;
    } else if (request.isNavigationRequest()) {
      if (verdict === 'ask' && kind === 'goto' && isInFrame(request)) return null;
    } else {
      // Pages complete and check what is typed with their own server.
      const isOwn = kind !== 'touch' && originIn(pageOf(request)?.url() ?? '') === originIn(url);
      if (verdict === 'ask' && (isOwn || !this.#carriesTyped(request))) return null;
    }
    return verdict === 'deny' ? 'denied' : 'unasked';
  }

  #verdict(url: string) {
    try {
      return this.#policy().verdict('submit', new URL(url));
    } catch {
      return 'deny';
    }
  }

  /** Whether an address tells something that the task has typed. Single words stand in many addresses. */
  #isTold(url: string): boolean {
    return [...this.#typed].some(
      (text) => text.length >= minToldChars && /[\s@\d]/.test(text.trim()) && spellings(text).some((it) => url.includes(it)),
    );
  }

  #carriesTyped(request: Request): boolean {
    const bytes = request.postDataBuffer();
    if (!bytes || this.#typed.size === 0) return false;
    if (bytes.length > maxBodyBytes) return true;
    const body = bytes.toString();
    return [...this.#typed].some((text) => spellings(text).some((spelling) => body.includes(spelling)));
  }

  #stop(request: Request, why: 'denied' | 'unasked'): void {
    const url = request.url();
    const { key, kind } = this.#deal;
    if (why === 'unasked' && kind !== 'fill') {
      const known = this.#known.get(key) ?? new Map<string, Stopped>();
      known.set(originIn(url), { url, body: bodyOf(request) });
      this.#known.delete(key);
      this.#known.set(key, known);
      for (const first of this.#known.keys()) if (this.#known.size > maxKnown) this.#known.delete(first);
    }
    const what = `The page wanted to send ${request.isNavigationRequest() ? 'a form' : 'data'} to ${shownUrl(url)}, and was stopped`;
    const line =
      why === 'denied'
        ? `${what}: the operator's rules deny it (roster, web).`
        : kind === 'fill'
          ? `${what}: filling in sends nothing. What was filled in stays; click or press what sends it.`
          : `${what}: nobody has been asked about that. To have it sent, make the same call again; the operator is asked then.`;
    if (this.#lines.length < maxLines && !this.#lines.includes(line)) this.#lines.push(line);
  }
}

/** @param secrets texts that the operator is not shown, such as passwords. */
export function stoppedLines(known: readonly Stopped[], secrets: readonly string[]): string[] {
  return known.map(({ url, body }) => {
    let text = body;
    for (const secret of secrets) for (const spelling of spellings(secret)) text = text.replaceAll(spelling, '••••••');
    const line = inOnePageLine(text);
    return `The page was stopped before from sending to ${shownUrl(url)}:\n| ${beginningOf(line, maxShownChars) || '(nothing)'}`;
  });
}

/** The spellings by which forms and scripts write a text into a request. */
function spellings(text: string): string[] {
  const encoded = encodeURIComponent(text.toWellFormed());
  return [...new Set([text, encoded, encoded.replaceAll('%20', '+'), JSON.stringify(text).slice(1, -1)])];
}

function bodyOf(request: Request): string {
  const body = request.postDataBuffer()?.subarray(0, 100_000).toString() ?? '';
  return /urlencoded/i.test(request.headers()['content-type'] ?? '') ? readable(body) : body;
}
function readable(body: string): string {
  return [...new URLSearchParams(body)].map(([name, value]) => `${name}: ${value}`).join(', ');
}

function originIn(url: string): string {
  try {
    return new URL(url).origin;
  } catch {
    return '';
  }
}

function isInFrame(request: Request): boolean {
  try {
    return request.frame().parentFrame() !== null;
  } catch {
    // A page that is only being opened.
    return false;
  }
}

function pageOf(request: Request): Page | null {
  try {
    return request.frame().page();
  } catch {
    return null;
  }
}

/** A page that was opened for the form alone would stay as an empty one. */
async function closeEmpty(request: Request): Promise<void> {
  try {
    const page = pageOf(request);
    if (page?.url() === 'about:blank' && page.context().pages().length > 1) await page.close();
  } catch {
    // It has closed itself.
  }
}
