/**
 * Where a task is in its browser: the address of its page, its cookies, and the local storage of the origins that it was on. It is
 * all that a page can be opened again from. It has the secrets of a log-in.
 */
import type { BrowserContext, Page } from 'playwright-core';
import { z } from 'zod';
import type { KeptStates } from '../../../bus/artifacts/kept-state.ts';
import { answerMs } from './page-limits.ts';
import { withinMs } from './within.ts';

const Cookie = z.object({
  name: z.string(),
  value: z.string(),
  domain: z.string(),
  path: z.string(),
  expires: z.number(),
  httpOnly: z.boolean(),
  secure: z.boolean(),
  sameSite: z.enum(['Strict', 'Lax', 'None']),
});
const Storage = z.object({ origin: z.string(), localStorage: z.array(z.object({ name: z.string(), value: z.string() })) });
export const KeptPage = z.object({
  url: z.string(),
  cookies: z.array(Cookie),
  origins: z.array(Storage),
  /** Whether storage was left out because there was too much of it. */
  isPartial: z.boolean().default(false),
  /** Number of pages that were open beside this one. They are not opened again. */
  further: z.number().int().min(0).default(0),
});
export type KeptPage = z.infer<typeof KeptPage>;
export const nothingKept: KeptPage = { url: 'about:blank', cookies: [], origins: [], isPartial: false, further: 0 };
export type Origins = Map<string, KeptPage['origins'][number]>;

/** The most that is kept of one task, in characters of JSON. */
export const maxKeptChars = 256 * 1024;
/** Origins whose local storage is kept. */
const maxOrigins = 8;

/**
 * Reads the present state. Only the origin of the current page is asked for its storage; that of earlier ones is in `origins`,
 * which is brought up to date.
 */
export async function readKept(context: BrowserContext, page: Page, origins: Origins): Promise<KeptPage> {
  // A page of the browser itself, such as that of a failed load, cannot be opened by its address.
  const url = /^https?:/.test(page.url()) ? page.url() : nothingKept.url;
  const storage = await withinMs(answerMs, page.evaluate(storageOfPage)).catch(() => null);
  if (storage) {
    origins.delete(storage.origin);
    if (storage.localStorage.length > 0) origins.set(storage.origin, storage);
    const [oldest] = origins.keys();
    if (origins.size > maxOrigins && oldest !== undefined) origins.delete(oldest);
  }
  const cookies = (await context.cookies()).map((cookie) => Cookie.parse(cookie));
  const further = Math.max(0, context.pages().length - 1);
  const whole: KeptPage = { url, cookies, origins: [...origins.values()], isPartial: false, further };
  const smaller = [whole, { ...whole, origins: [], isPartial: true }, { ...whole, cookies: [], origins: [], isPartial: true }];
  return smaller.find((kept) => JSON.stringify(kept).length <= maxKeptChars) ?? { ...smaller[2]!, url: 'about:blank' };
}

/** Keeps where tasks are, so that every node of the crew can go on from there. */
export interface KeptPages {
  /** @returns the last that was kept of a task, with its number; null if nothing was. */
  read(task: string): Promise<{ readonly page: KeptPage; readonly revision: number } | null>;
  /**
   * @param after the number of what the writer goes on from; 0 if nothing is known to be kept.
   * @returns the new number; null if another node has gone on with the task: then nothing is written.
   */
  write(task: string, page: KeptPage, after: number): Promise<number | null>;
}

export const keptPages = (states: KeptStates): KeptPages => ({
  read: async (task) => {
    const kept = await states.read(task);
    const page = kept && parsed(kept.text);
    return page && { page, revision: kept.revision };
  },
  write: (task, page, after) => states.write(task, JSON.stringify(page), after),
});

/** Another version may have written it: then the task begins with an empty page. */
function parsed(text: string): KeptPage {
  try {
    return KeptPage.parse(JSON.parse(text));
  } catch {
    return { ...nothingKept, isPartial: true };
  }
}

/** Runs in the page. A page without an origin, such as `about:blank`, throws. */
function storageOfPage(): { origin: string; localStorage: { name: string; value: string }[] } {
  const here = globalThis as unknown as { location: { origin: string }; localStorage: Record<string, string> };
  const entries = Object.entries(here.localStorage);
  return { origin: here.location.origin, localStorage: entries.map(([name, value]) => ({ name, value: String(value) })) };
}
