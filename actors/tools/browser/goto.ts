import { z } from 'zod';
import { defineTool, type Tool, type ToolContext, type ToolOutput } from '../tool.ts';
import { noticesOf } from './acted.ts';
import { type Intent, mustBeAsShown, previewOf, withKnown } from './gate.ts';
import { closeCurrent, openPage, pageNumberIn, pagesLine, switchTo } from './open-pages.ts';
import { shownUrl } from './page-words.ts';
import { settled } from './settle.ts';
import { see, wholeView } from './sight.ts';
import { type BrowserTools, mustNotHaveStrayed, originOf, plainError, type Site, siteOf, strayed } from './site.ts';

const loadMs = 30_000;
/** Longest wait for the end of a page that has begun to load. */
const wholeMs = 8_000;

/** Loading a page is `none`: by the rules of HTTP a GET asks for something and changes nothing, so it may be repeated. */
export const gotoTool = (tools: BrowserTools): Tool =>
  defineTool<{ url: string }>({
    name: 'goto',
    description: 'Open a page in the browser by its address. Returns what is on it.',
    args: z.object({
      url: z
        .string()
        .min(1)
        .max(4_000)
        .describe('http or https; "back" goes back, "page 1" to another open page, "close" closes this one'),
    }),
    effects: 'none',
    decides: true,
    target: ({ url }) => shownUrl(url),
    preview: async ({ url }, context) => {
      const site = await siteOf(tools, context);
      return previewOf(site, intentOf(site, url), context);
    },
    run: async ({ url }, context) => {
      const site = await siteOf(tools, context);
      const { page } = site;
      const { signal } = context;
      const intent = intentOf(site, url);
      mustBeAsShown(site, intent, context);
      site.outbox.begin({ key: intent.key, kind: 'goto', let: intent.consequences });
      const number = pageNumberIn(url);
      if (number !== null || url.trim() === 'close') {
        await (number === null ? closeCurrent(site) : switchTo(site, openPage(site, number)));
        if (originOf(site.page.url()) !== null && number !== null) site.enter(site.page.url());
        return shownPage(site, context, []);
      }
      const isBack = url.trim() === 'back';
      const address = isBack ? null : addressOf(url).href;
      if (address) site.enter(address);
      let isWhole = true;
      try {
        const reply = await (address
          ? page.goto(address, { waitUntil: 'commit', timeout: loadMs })
          : page.goBack({ waitUntil: 'commit', timeout: loadMs }));
        if (!address && !reply) throw new Error('there is no page to go back to');
        // The page that is shown then is one of the proxy.
        const unreached = reply && !reply.ok() ? site.whyUnreached(page.url()) : null;
        if (unreached !== null) throw new Error(unreached);
        await page.waitForLoadState('domcontentloaded', { timeout: wholeMs }).catch(() => {
          isWhole = false;
        });
        if (isWhole) await settled(page, signal, async () => {});
      } catch (cause) {
        signal.throwIfAborted();
        await site.settle();
        const why = (address && site.whyUnreached(address)) ?? plainError(cause);
        throw new Error(whyNot(address ?? 'the page before', why));
      }
      await site.settle();
      const stray = strayed(site);
      if (stray !== null) throw new Error(`${shownUrl(address ?? 'back')} leads elsewhere: ${stray}`);
      const part = isWhole ? [] : [`(The page has not finished loading after ${wholeMs / 1_000} s; this is what is there.)`];
      return shownPage(site, context, part);
    },
  });

async function shownPage(site: Site, { signal }: ToolContext, first: readonly string[]): Promise<ToolOutput> {
  const now = site.page;
  mustNotHaveStrayed(site);
  const sight = await see(now, signal);
  mustNotHaveStrayed(site, sight.url);
  const view = wholeView(now, sight);
  return { text: [...first, ...noticesOf(site), view, ...pagesLine(site)].join('\n'), sources: [shownUrl(now.url(), 1_000)] };
}

/** Going back or closing a page leads to one that the task was on, so it leaves nothing. */
function intentOf(site: Site, asked: string): Intent {
  const words = `goto ${shownUrl(asked)}`;
  // The page that the task is on is no part of it.
  const key = `goto ${asked}`;
  if (/^(?:back|close)$/.test(asked.trim())) return { key, words, control: null, consequences: [] };
  const number = pageNumberIn(asked);
  const url = number === null ? addressOf(asked).href : openPage(site, number).url();
  const isEmpty = number !== null && originOf(url) === null;
  const consequences: Intent['consequences'] = isEmpty || site.mayVisit(url) ? [] : [{ action: 'leave', url }];
  return withKnown(site, { key, words, control: null, print: url, consequences });
}

/** @throws Error for the model if it is no address of a page. */
function addressOf(asked: string): URL {
  const text = asked.trim();
  const hasScheme = /^[a-z][a-z0-9+.-]{0,30}:(?!\d)/i.test(text);
  let url: URL;
  try {
    url = new URL(hasScheme ? text : `https://${text}`);
  } catch {
    throw new Error(`${JSON.stringify(shownUrl(asked))} is no address; give one such as https://example.com/contact`);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new Error(`only http and https pages can be opened, not ${url.protocol}`);
  if (url.username || url.password) throw new Error('an address with a user or a password is not opened; leave them out');
  return url;
}

const reasons: readonly (readonly [RegExp, string])[] = [
  [/ERR_NAME_NOT_RESOLVED/, 'there is no such host; check the spelling'],
  [/ERR_CONNECTION_REFUSED/, 'nothing answers there; check the port'],
  [/ERR_UNSAFE_PORT/, 'browsers open no page at this port, which is that of another service'],
  [/ERR_CERT|ERR_SSL/, 'its certificate is not valid, so it is not trusted'],
  [/ERR_TOO_MANY_REDIRECTS/, 'it redirects for ever'],
  [/ERR_TUNNEL_CONNECTION_FAILED|ERR_PROXY/, 'it was refused'],
  [/ERR_ABORTED/, 'it is a download or was stopped, and no page'],
  [/Timeout/, `it did not load within ${loadMs / 1_000} s`],
];

const whyNot = (address: string, message: string): string => {
  const reason = reasons.find(([pattern]) => pattern.test(message))?.[1] ?? message.split('\n')[0];
  return `${shownUrl(address)} could not be opened: ${reason}`;
};
