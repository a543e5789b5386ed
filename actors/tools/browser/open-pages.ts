/** The pages of a task that are open beside each other: pages that its pages have opened, each with a number of its own. */
import type { Page } from 'playwright-core';
import { shownUrl } from './page-words.ts';
import type { Site } from './site.ts';
import { withinMs } from './within.ts';

const switchMs = 5_000;

/** @returns the number in `page 2`; null for other words. */
export function pageNumberIn(asked: string): number | null {
  const digits = /^page\s{0,5}(\d{1,6})$/i.exec(asked.trim())?.[1];
  return digits === undefined ? null : Number(digits);
}

/** @throws Error for the model, with the pages that are open. */
export function openPage(site: Site, number: number): Page {
  const page = site.pages().get(number);
  if (!page) throw new Error(`page ${number} is not open. ${pagesInWords(site)}`);
  return page;
}

/** A line about the open pages, where there are several. */
export const pagesLine = (site: Site): string[] => (site.pages().size > 1 ? [`(${pagesInWords(site)})`] : []);

function pagesInWords(site: Site): string {
  const pages = [...site.pages()].map(([number, page]) =>
    page === site.page ? `page ${number} (this one)` : `page ${number} ${shownUrl(page.url(), 100)}`,
  );
  if (pages.length === 1) return 'No other page is open than this one.';
  return `Open are ${pages.join(', ')}. goto with url "page" and a number goes to another one, "close" closes this one.`;
}

/** From now on the page is the current one. */
export async function switchTo(site: Site, page: Page): Promise<void> {
  site.show(page);
  await withinMs(switchMs, page.bringToFront()).catch(() => {});
}

/** Closes the current page; the one before it is current again. @throws Error for the model where it is the only one. */
export async function closeCurrent(site: Site): Promise<void> {
  if (site.pages().size < 2) throw new Error('this is the only page that is open; goto another address instead');
  await withinMs(switchMs, site.page.close({ runBeforeUnload: false }));
}
