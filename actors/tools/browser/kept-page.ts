/**
 * Where a task is in its browser: the address of its page, its cookies, and the local storage of the origins that it was on. It is
 * all that a page can be opened again from. It has the secrets of a log-in.
 */
import type { BrowserContext, Page } from 'playwright-core';
import { z } from 'zod';
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
});
export type KeptPage = z.infer<typeof KeptPage>;
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
  const url = page.url();
  const storage = await withinMs(answerMs, page.evaluate(storageOfPage)).catch(() => null);
  if (storage) {
    origins.delete(storage.origin);
    if (storage.localStorage.length > 0) origins.set(storage.origin, storage);
    const [oldest] = origins.keys();
    if (origins.size > maxOrigins && oldest !== undefined) origins.delete(oldest);
  }
  const cookies = (await context.cookies()).map((cookie) => Cookie.parse(cookie));
  const whole: KeptPage = { url, cookies, origins: [...origins.values()], isPartial: false };
  const smaller = [whole, { ...whole, origins: [], isPartial: true }, { url, cookies: [], origins: [], isPartial: true }];
  return smaller.find((kept) => JSON.stringify(kept).length <= maxKeptChars) ?? { ...smaller[2]!, url: 'about:blank' };
}

/** Runs in the page. A page without an origin, such as `about:blank`, throws. */
function storageOfPage(): { origin: string; localStorage: { name: string; value: string }[] } {
  const here = globalThis as unknown as { location: { origin: string }; localStorage: Record<string, string> };
  const entries = Object.entries(here.localStorage);
  return { origin: here.location.origin, localStorage: entries.map(([name, value]) => ({ name, value: String(value) })) };
}
