/** One act on a page: it runs, what it has set off is waited for, and the agent is told what has changed. */
import type { Change } from '../../../machines/effects.ts';
import { beginningOf } from '../../../platform/cut.ts';
import { InDoubt, type ToolOutput } from '../tool.ts';
import type { Found } from './element.ts';
import { inOnePageLine, shortPageLine, shownUrl } from './page-words.ts';
import { type Sent, settled } from './settle.ts';
import { newsOf, see } from './sight.ts';
import { isLost, isOfPlaywright, plainError, type Site, strayed } from './site.ts';

/** Longest wait until an element can be acted on, in ms. */
export const actMs = 5_000;

interface Act {
  /** `click on button "Send"`. */
  readonly words: string;
  /** In the past: `Clicked button "Send".` */
  readonly done: string;
  readonly element: Found | null;
  /** Whether the act may have an effect that lasts. */
  readonly mayLast: boolean;
  /** The changes of the act, made from the requests that it has sent. */
  readonly changes: (sent: readonly Sent[]) => readonly Change[];
  readonly run: () => Promise<unknown>;
  /** Whether it is meant to send something. Default: false. */
  readonly sends?: boolean;
}

/** @throws InDoubt if the browser ended during the act. @throws Error that says what stands in the way. */
export async function acted(site: Site, act: Act, signal: AbortSignal): Promise<ToolOutput> {
  const { page } = site;
  const before = page.url();
  let sent: Sent[];
  try {
    sent = await settled(page, signal, act.run, act.sends);
  } catch (cause) {
    signal.throwIfAborted();
    if (isLost(page, cause) || !site.isOpen()) throw lost(act);
    if (page.isClosed() && site.isOpen())
      return { text: await told(site, `${act.done} Its page has closed.`, signal), changes: act.changes([]) };
    throw isOfPlaywright(cause) ? new Error(await hindrance(act, plainError(cause), String(cause))) : cause;
  } finally {
    site.dialogs.end();
    site.outbox.end();
  }
  // The act was made, and the browser ended before it was known what came of it.
  if (!page.context().browser()?.isConnected()) throw lost(act);
  // Typed text is never kept, so a call that only types keeps nothing, unless the page has sent something or gone on.
  const keeps = act.mayLast || sent.length > 0 || page.url() !== before;
  return {
    text: await told(site, act.done, signal, keeps),
    changes: act.changes(sent),
    sources: [shownUrl(site.page.url(), 1_000)],
  };
}

const lost = ({ words, mayLast }: Act): Error =>
  mayLast
    ? new InDoubt(`the browser ended during the ${words}, so nobody knows whether it took effect`)
    : new Error(`the browser ended during the ${words}; call goto to open the page again`);

/** The words for an agent after an act: the act, the notices of the browser, and the changes of the page. */
export async function told(site: Site, done: string, signal: AbortSignal, keeps = true): Promise<string> {
  const { page } = site;
  const stray = strayed(site);
  const settling = site.settle(keeps);
  const view =
    stray ??
    (await see(page, signal).then(
      // It may have gone on while it was looked at.
      (sight) => strayed(site, sight.url) ?? newsOf(page, sight, 'Nothing else has changed on the page.'),
      (cause) => `It cannot be seen now: ${plainError(cause)}`,
    ));
  await settling;
  return [done, ...noticesOf(site), view].join('\n');
}

const maxNotices = 8;
export function noticesOf(site: Pick<Site, 'notices'>): string[] {
  const notices = site.notices();
  const more = notices.length > maxNotices ? [`(and ${notices.length - maxNotices} more notices)`] : [];
  return [...notices.slice(0, maxNotices).map((notice) => `(${beginningOf(inOnePageLine(notice), 400)})`), ...more];
}

async function hindrance({ words, element }: Act, message: string, log: string): Promise<string> {
  const covering = /(<[^\n]{1,2000}) intercepts pointer events/.exec(log)?.[1];
  if (covering)
    return `the ${words} was not possible: the element is covered by ${shortPageLine(covering, 160)}. Close or handle that first; snapshot shows what is there.`;
  if (log.includes('element is not enabled'))
    return `the ${words} was not possible: the element is disabled. Fill in what it waits for first.`;
  if (log.includes('element is not editable')) return `the ${words} was not possible: the field is read-only.`;
  if (log.includes('element is not visible') || log.includes('element is outside of the viewport'))
    return `the ${words} was not possible: the element is not visible. Open the menu, tab or section that it is in first; snapshot shows what is there.`;
  if (log.includes('did not find some options') && element)
    return `${element.words} has no such option. ${await optionsOf(element)}`;
  if (log.includes('is not an <input>') || log.includes('not a <select>') || log.includes('not an <input>'))
    return `${element?.words ?? 'the element'} is no such field; click it instead, then look what has changed.`;
  if (log.includes('element was detached')) return `the ${words} was not possible: the element is gone. Call snapshot.`;
  return `the ${words} failed: ${shortPageLine(message, 600)}`;
}

interface Option {
  readonly label: string;
  readonly value: string;
}
type Options = { readonly options?: Iterable<Option> };
/** The options of a list field; none of every other element. */
export const optionsIn = ({ locator }: Found): Promise<Option[]> =>
  locator.evaluate((list: Options) => [...(list.options ?? [])].map(({ label, value }) => ({ label, value })));

export async function optionsOf(found: Found): Promise<string> {
  const options = await optionsIn(found).catch(() => []);
  const shown = options.slice(0, 30).map(({ label }) => JSON.stringify(shortPageLine(label, 80)));
  if (shown.length === 0) return 'It has no options that are known; click it and look.';
  return `It has: ${shown.join(', ')}${options.length > shown.length ? ` and ${options.length - shown.length} more` : ''}`;
}
