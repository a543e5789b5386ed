/** Reads a page of the web without a browser: its HTML as Markdown, other text as it is, everything else as an artifact. */
import { posix } from 'node:path';
import { z } from 'zod';
import { version } from '../../../platform/version.ts';
import { originOf } from '../../../roster/web-schema.ts';
import { fromPage, inOnePageLine, quotedText, shownUrl } from '../browser/page-words.ts';
import { defineTool, type Tool, type ToolContext, type ToolOutput } from '../tool.ts';
import { decodePage } from './charset.ts';
import { contentOf, type PageContent } from './page-content.ts';
import { pagePart } from './page-parts.ts';
import type { PageReader } from './page-reader.ts';
import type { BegunPage, ReadPages } from './read-pages.ts';
import { type Robots, robotsName } from './robots.ts';
import type { Visits } from './visits.ts';
import { type Fetched, FetchProblem, pageAddress, webFetch } from './web-fetch.ts';
import { mustNotBeClosed, type WebPolicy, WebRefused } from './web-policy.ts';

export interface FetchPageLimits {
  /** Longest time for a page with its redirects, in ms. Default: 30 s. */
  readonly ms?: number;
  /** Most bytes of a page of text. Default: 5 MB. */
  readonly textBytes?: number;
  /** Most bytes of everything else, such as a PDF. Default: 20 MB. */
  readonly fileBytes?: number;
}
export interface FetchPageParts {
  readonly policy: () => WebPolicy;
  readonly reader: PageReader;
  readonly robots: Robots;
  readonly visits: Visits;
  readonly pages: ReadPages;
  readonly limits?: FetchPageLimits;
}

const robotsBytes = 512_000;
const robotsMs = 10_000;

export function fetchPageTool(parts: FetchPageParts): Tool {
  const { policy, visits, pages } = parts;
  return defineTool({
    name: 'fetch_page',
    description: 'Read a page of the web as text, without a browser.',
    args: z.object({
      url: z.string().min(1).max(4_000).describe('Whole address, with https://'),
      offset: z.int().nonnegative().optional().describe('Character to go on at, as the last part said.'),
      all: z.boolean().optional().describe('True: with menus and forms, not the article alone.'),
    }),
    effects: 'none',
    decides: true,
    target: ({ url }) => shownUrl(url),
    preview: async ({ url: given }, { task }) => {
      const url = pageAddress(given);
      const origin = originOf(url)!;
      const rules = policy();
      const verdict = rules.verdict('leave', url);
      if (verdict === 'deny') throw denied(url);
      await mustNotBeClosed(url, rules);
      const text = `It reads ${shownUrl(url.href, 2_000)}\n${origin} is not in \`web.origins\` of the roster. Once allowed, the task reads more pages of it unasked.`;
      return { text, base: url.href, ask: verdict === 'ask' && !visits.has(task, origin) };
    },
    run: async ({ url: given, offset = 0, all = false }, context) => {
      const url = pageAddress(given);
      const key = JSON.stringify([context.task, url.href, all]);
      const begun = offset > 0 ? pages.get(key) : null;
      const page = begun ?? (await read(url, all, context, parts));
      if ('output' in page) return page.output;
      pages.keep(key, page);
      return { text: inWords(page, offset), sources: [page.url] };
    },
  });
}

const denied = (url: URL) =>
  new WebRefused(
    `Refused: the roster lets no agent go to ${originOf(url)} (\`leave: deny\` in its section \`web\`). Use what you have, or ask the operator.`,
  );

type Read = BegunPage | { readonly output: ToolOutput };

async function read(url: URL, all: boolean, context: ToolContext, parts: FetchPageParts): Promise<Read> {
  const { policy, reader, limits = {} } = parts;
  const { ms = 30_000, textBytes = 5_000_000, fileBytes = 20_000_000 } = limits;
  const { signal, task } = context;
  if (policy().verdict('leave', url) === 'deny') throw denied(url);
  // The call has passed, or the operator has allowed it.
  parts.visits.add(task, originOf(url)!);
  const fetched = await webFetch(
    url,
    {
      ...{ policy: policy(), userAgent: `${robotsName}/${version()}`, ms },
      maxBytes: (type) => (/^(text\/|application\/(.{0,60}\+)?(json|xml|xhtml))|^$/i.test(type) ? textBytes : fileBytes),
      mayGo: (hop, from, until) => mayGo(hop, from, task, parts, until),
    },
    signal,
  );
  const shown = shownUrl(fetched.url.href);
  if (fetched.status < 200 || fetched.status >= 300) throw badStatus(shown, fetched.status);
  const content = await contentOf(fetched.bytes, fetched.type);
  if (content.kind === 'file') return { output: await stored(fetched, content, context) };
  if (fetched.bytes.length > textBytes)
    throw new FetchProblem(
      'too-large',
      `${shown} has ${(fetched.bytes.length / 1e6).toFixed(1)} MB of text; at most ${textBytes / 1e6} MB are read.`,
    );
  const text = decodePage(fetched.bytes, fetched.type);
  if (content.kind === 'text') return { url: fetched.url.href, title: '', text: tidy(text), remarks: [] };
  const page = await reader.page({ html: text, url: fetched.url.href, all }, signal);
  return { url: fetched.url.href, title: page.title, text: tidy(page.markdown), remarks: remarksOf(page) };
}

/** Line ends of all sorts are one. */
const tidy = (text: string): string => text.replaceAll(/\r\n?|[\u2028\u2029]/g, '\n').toWellFormed();

function remarksOf({ isArticle, hidden, refresh }: { isArticle: boolean; hidden: number; refresh: string | null }): string[] {
  return [
    ...(isArticle ? ['This is the article of the page alone; `all: true` shows the rest too.'] : []),
    ...(hidden > 0
      ? [`${hidden} hidden ${hidden === 1 ? 'part' : 'parts'} of the page were left out: a reader does not see them.`]
      : []),
    ...(refresh === null ? [] : [`The page sends its readers on to ${shownUrl(refresh)}; fetch that address if you need it.`]),
  ];
}

/**
 * A first hop was allowed before the call. A redirect may lead to the same host by https, to an origin that the roster lists or
 * lets agents go to, or to one to which the task has gone; every other one is named, so that the model can ask for it.
 */
async function mayGo(hop: URL, from: URL | null, task: string, parts: FetchPageParts, signal: AbortSignal): Promise<void> {
  const { policy, visits, robots } = parts;
  const rules = policy();
  const verdict = rules.verdict('leave', hop);
  if (verdict === 'deny') throw denied(hop);
  const origin = originOf(hop)!;
  if (from && verdict === 'ask' && !visits.has(task, origin) && !isSameSite(from, hop))
    throw new WebRefused(
      `Not followed: ${shownUrl(from.href)} redirects to ${shownUrl(hop.href)}, and nobody has allowed ${origin} yet. If you need it, fetch that address.`,
    );
  await robots.check(hop, (address) => robotsOf(address, task, parts, signal), signal);
}

/** The same host and nothing less safe. */
const isSameSite = (from: URL, to: URL): boolean =>
  originOf(from) === originOf(to) ||
  (from.hostname === to.hostname && from.protocol === 'http:' && to.protocol === 'https:' && to.port === '');

function robotsOf(address: URL, task: string, { policy, visits }: FetchPageParts, signal: AbortSignal): Promise<Fetched> {
  const rules = policy();
  const mayFollow = (hop: URL, from: URL | null) => {
    const isAllowed = from === null || rules.verdict('leave', hop) === 'allow' || visits.has(task, originOf(hop)!);
    if (!isAllowed && !isSameSite(from, hop)) throw new FetchProblem('bad-redirect', 'robots.txt is somewhere else');
  };
  const limits = { ms: robotsMs, maxBytes: () => robotsBytes };
  return webFetch(address, { policy: rules, userAgent: `${robotsName}/${version()}`, ...limits, mayGo: mayFollow }, signal);
}

function badStatus(shown: string, status: number): FetchProblem {
  const words: Readonly<Record<number, string>> = {
    401: 'it wants a login',
    403: 'the server refuses it',
    404: 'there is no such page',
    410: 'the page is gone',
    429: 'the server has had too many requests; try later',
    451: 'it is withheld for legal reasons',
  };
  const why = words[status] ?? (status >= 500 ? 'the server has a fault; try later' : 'that is no page');
  return new FetchProblem('bad-status', `${shown} answered ${status}: ${why}.`);
}

const readers: readonly (readonly [pattern: RegExp, reads: string])[] = [
  [/^image\//, 'read_image_text or look_at reads a picture, if you have one of them'],
  [/^application\/pdf$/, 'read_document reads it, if you have that tool'],
];

/** A file that is no text goes into the artifacts of the task. */
async function stored(
  { url, bytes, disposition }: Fetched,
  { type, ending }: PageContent & { kind: 'file' },
  { store }: ToolContext,
): Promise<ToolOutput> {
  const shown = shownUrl(url.href);
  if (!store)
    throw new FetchProblem('no-text', `${shown} is no text but ${type} (${bytes.length} bytes), and nobody here can keep it.`);
  const { ref, name } = await store({ name: fileName(url, disposition, ending), type, bytes });
  const how = readers.find(([pattern]) => pattern.test(type))?.[1] ?? 'no tool of yours reads it, but the operator can';
  return {
    text: `${shown} is no text but ${type} (${bytes.length} bytes). It is stored as the artifact ${ref} (${name}); ${how}.`,
    artifacts: [ref],
    sources: [url.href],
  };
}

/** The name that the server gives, else the last word of the address; it is a name alone, and its ending is that of the content. */
function fileName(url: URL, disposition: string, ending: string): string {
  const [, said] = /filename\s{0,9}=\s{0,9}"?([^";]{1,200})/i.exec(disposition) ?? [];
  const last = said ?? posix.basename(url.pathname);
  const plain = inOnePageLine(last)
    .replaceAll(/[^\p{L}\p{N}._-]/gu, '_')
    .replace(/^[._]{1,200}/, '');
  const name = plain.slice(0, 80) || 'download';
  return name.toLowerCase().endsWith(`.${ending}`) ? name : `${name}.${ending}`;
}

function inWords({ url, title, text, remarks }: BegunPage, offset: number): string {
  const head = fromPage(url, title);
  if (text === '')
    return [head, ...bracketed([...remarks, 'The page has no text that can be read without a browser.'])].join('\n');
  if (offset >= text.length) return [head, ...bracketed([`The page ends at character ${text.length}.`])].join('\n');
  const { text: part, next } = pagePart(text, offset);
  const where =
    next === null
      ? offset === 0
        ? []
        : [`characters ${offset} to ${text.length}, the end`]
      : [`characters ${offset} to ${next} of ${text.length}; go on with offset ${next}`];
  return [head, quotedText(part.replace(/\n$/, '')), ...bracketed([...(offset === 0 ? remarks : []), ...where])].join('\n');
}
const bracketed = (remarks: readonly string[]): string[] => remarks.map((remark) => `[${remark}]`);
