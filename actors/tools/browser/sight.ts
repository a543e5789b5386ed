/** A page as a tool sees it now, and as its agent was shown it last. */
import type { Locator, Page } from 'playwright-core';
import { unlessAborted } from '../../../platform/time-limit.ts';
import { type AriaNode, everyNode, parseAria } from './aria-tree.ts';
import { concealedIn } from './concealed.ts';
import { type PageLine, pageLines } from './page-lines.ts';
import { changesBetween, fittingView, maxViewChars, viewFrom } from './page-view.ts';
import { fromPage } from './page-words.ts';
import { markOf, placeOf, plainLook } from './plain-look.ts';
import { plainError } from './site.ts';
import { withinMs } from './within.ts';

export interface Sight {
  readonly url: string;
  readonly title: string;
  readonly nodes: readonly AriaNode[];
  readonly lines: readonly PageLine[];
  /** A line about what is left out of it; null where all of the page was looked at. */
  readonly about: string | null;
  /** The same lines without folded lists. */
  whole(): PageLine[];
  /** The lines of one part of the page, without folded lists. */
  of(part: AriaNode): PageLine[];
}

const lookMs = 10_000;

const tooLong = `the page did not answer within ${lookMs / 1_000} s: it is too large, or too busy. extract may read its text`;

/**
 * @param words where the page is too large to be looked at whole: parts of it that have these words. Default: its first and last
 * ones.
 * @throws Error if the page does not answer.
 */
export async function see(page: Page, signal: AbortSignal, words?: string): Promise<Sight> {
  const first = concealedIn(page);
  // A page that had a tree a moment ago has one still, so both looks go out at once.
  const tree = lastSight(page)?.about === null ? treeOf(page, signal) : null;
  tree?.catch(() => {});
  const { title, hasTree, ...concealed } = await unlessAborted(first, signal);
  const look = hasTree ? (tree ?? treeOf(page, signal)) : plainLook(page, signal, words);
  const { nodes, about } = await look.catch((cause: unknown) => {
    signal.throwIfAborted();
    throw /did not answer|Timeout/.test(String(cause)) ? new Error(tooLong) : cause;
  });
  const unfolded = { ...concealed, listItems: Number.POSITIVE_INFINITY };
  return {
    ...{ url: page.url(), title, nodes, about, lines: pageLines(nodes, concealed) },
    whole: () => pageLines(nodes, unfolded),
    of: (part) => pageLines([part], { ...unfolded, maxTextChars: 1_000 }),
  };
}

async function treeOf(page: Page, signal: AbortSignal): Promise<Pick<Sight, 'nodes' | 'about'>> {
  const look = page.ariaSnapshot({ mode: 'ai', timeout: lookMs }).catch(unreadable);
  return { nodes: parseAria(await withinMs(lookMs, look, signal)), about: null };
}

/** The element of a line. */
export function locatorOf(page: Page, ref: string): Locator {
  const place = placeOf(page, ref);
  return page.locator(place ? `xpath=${place.path}` : `aria-ref=${ref}`);
}

/** Whether the element of a line is still there. */
export async function isThere(page: Page, ref: string): Promise<boolean> {
  const place = placeOf(page, ref);
  const locator = locatorOf(page, ref);
  if ((await locator.count()) !== 1) return false;
  return place === null || (await locator.evaluate(markOf).catch(() => '')) === place.mark;
}

/** A page can break the code that looks at it, for instance by fields that are named like its functions. */
function unreadable(cause: unknown): never {
  if (/closed|crashed|Timeout/.test(String(cause))) throw cause;
  throw new Error(`this page cannot be looked at (${plainError(cause).split('\n')[0]}); extract may read its text`);
}

interface Shown {
  readonly sight: Sight;
  /** Characters of changes that the agent was shown since it last was shown the whole view. */
  readonly chars: number;
}
const shown = new WeakMap<Page, Shown>();

export const lastSight = (page: Page): Sight | null => shown.get(page)?.sight ?? null;

/** The whole view. @param from number of the line to begin with, counted from 1 over all lines; null: the most useful ones. */
export function wholeView(page: Page, sight: Sight, from: number | null = null): string {
  shown.set(page, { sight, chars: 0 });
  const head = fromPage(sight.url, sight.title);
  const about = sight.about === null ? [] : [sight.about];
  if (from !== null) return [head, partOfView(sight.whole(), from), ...about].join('\n');
  const { text, leftOut } = fittingView(sight.lines);
  const more =
    leftOut > 0 && sight.about === null
      ? [`(${leftOut} lines are left out: snapshot with a part, a word to look for, or from: 1 shows them; extract reads text)`]
      : [];
  return [head, text || '(the page is empty)', ...more, ...about].join('\n');
}

export function partOfView(lines: readonly PageLine[], from: number): string {
  if (lines.length === 0) return '(nothing is there)';
  const { text, next } = viewFrom(lines, from);
  return next === null ? text : `${text}\n(lines ${from} to ${next - 1} of ${lines.length}; go on with from: ${next})`;
}

/**
 * The changes since the agent was last shown something; the whole view where that is shorter, or was long ago.
 * @param otherwise what an agent is told if nothing has changed. Default: the whole view, for an agent that asks for one.
 */
export function newsOf(page: Page, sight: Sight, otherwise?: string): string {
  const last = shown.get(page);
  if (!last || last.sight.url.split('#')[0] !== sight.url.split('#')[0]) return wholeView(page, sight);
  const changes = changesBetween(last.sight.lines, sight.lines);
  if (changes === '') return otherwise ?? wholeView(page, sight);
  if (changes === null || last.chars + changes.length > maxViewChars) return wholeView(page, sight);
  shown.set(page, { sight, chars: last.chars + changes.length });
  return `Changed on the page (+ new, - gone, ~ different; lines with | are text of the page):\n${changes}`;
}

export const nodeWithRef = ({ nodes }: Pick<Sight, 'nodes'>, ref: string): AriaNode | null => {
  for (const node of everyNode(nodes)) if (node.ref === ref) return node;
  return null;
};
