/**
 * Makes Markdown of the HTML of a page. It runs in a process of its own, because a hostile page can keep it busy for minutes. No
 * script and no style of the page is run; hidden text is left out, since no reader of the page would see it.
 */
import { Readability } from '@mozilla/readability';
import { parseHTML } from 'linkedom';
import TurndownService from 'turndown';

/** The parts of the DOM that are used here. */
interface Element {
  readonly tagName: string;
  readonly textContent: string | null;
  readonly parentNode: unknown;
  getAttribute(name: string): string | null;
  setAttribute(name: string, value: string): void;
  removeAttribute(name: string): void;
  readonly childNodes: Iterable<Element>;
  append(node: Element): void;
  remove(): void;
  matches(selector: string): boolean;
}
interface Document {
  readonly body: Element | null;
  readonly head: Element | null;
  readonly documentElement: Element | null;
  querySelector(selector: string): Element | null;
  querySelectorAll(selector: string): Iterable<Element>;
}
const documentOf = (html: string): Document => (parseHTML(html) as unknown as { document: Document }).document;

export interface PageJob {
  readonly html: string;
  /** The address of the page. */
  readonly url: string;
  /** The whole page with its menus, and not its article alone. */
  readonly all: boolean;
}
export interface ReadPage {
  readonly title: string;
  readonly markdown: string;
  /** Whether `markdown` is only the article of the page. */
  readonly isArticle: boolean;
  /** Hidden parts that were left out. */
  readonly hidden: number;
  /** The address to which the page sends its readers on (`<meta http-equiv="refresh">`), or null. */
  readonly refresh: string | null;
}

/** An article is worth it alone if it has this many characters, and this part of all text. */
const articleChars = 400;
const articlePart = 0.3;

export function pageMarkdown({ html, url, all }: PageJob): ReadPage {
  const page = prepared(html, url);
  const { document, body, title, hidden, refresh } = page;
  const length = textLength(body);
  if (all || length <= articleChars) return { title, markdown: markdownOf(body), isArticle: false, hidden, refresh };
  const article = articleOf(document);
  if (article && article.length >= Math.max(articleChars, length * articlePart))
    return { title: article.title || title, markdown: markdownOf(article.element), isArticle: true, hidden, refresh };
  // The search for the article has taken the page apart.
  return { title, markdown: markdownOf(prepared(html, url).body), isArticle: false, hidden, refresh };
}

function articleOf(document: Document): { element: Element; title: string; length: number } | null {
  const options = { charThreshold: articleChars, serializer: (element: unknown) => element as Element };
  const article = new Readability<Element>(document as never, options).parse();
  return article?.content ? { element: article.content, title: article.title ?? '', length: article.length ?? 0 } : null;
}

/** The page without what its readers do not see, and with whole addresses. */
function prepared(html: string, url: string) {
  const document = documentOf(/<html[\s>]/i.test(html) ? html : `<html><body>${html}</body></html>`);
  const body = document.body!;
  gatherBody(document, body);
  const base = baseOf(document, url);
  const title = document.querySelector('title')?.textContent?.trim() ?? '';
  const refresh = refreshOf(document, base);
  const hidden = withoutHidden(document);
  for (const it of document.querySelectorAll(unread)) it.remove();
  makeAbsolute(document, base);
  return { document, body, title, refresh, hidden };
}

/** Pages leave out the tags of the head and the body, and the parser does not put them where they belong. */
function gatherBody({ head, documentElement }: Document, body: Element): void {
  for (const parent of [documentElement, head])
    for (const child of [...(parent?.childNodes ?? [])]) if (child !== body && !ofHead.has(child.tagName)) body.append(child);
}
const ofHead = new Set(['HEAD', 'BODY', 'TITLE', 'META', 'LINK', 'BASE', 'STYLE', 'SCRIPT', 'NOSCRIPT', 'TEMPLATE']);

/** Elements without text for a reader. */
const unread =
  'title, meta, link, base, script, style, noscript, template, iframe, object, embed, canvas, svg, math, audio, video, datalist, dialog:not([open])';

const textLength = (element: Element): number => (element.textContent ?? '').replaceAll(/\s+/g, ' ').length;

function baseOf(document: Document, url: string): string {
  const said = document.querySelector('base[href]')?.getAttribute('href') ?? '';
  return URL.canParse(said, url) ? new URL(said, url).href : url;
}

function refreshOf(document: Document, base: string): string | null {
  for (const meta of document.querySelectorAll('meta[http-equiv]')) {
    if (meta.getAttribute('http-equiv')?.trim().toLowerCase() !== 'refresh') continue;
    const [, to] =
      /^\s{0,20}[\d.]{0,10}\s{0,20}[;,]\s{0,20}(?:url\s{0,20}=\s{0,20})?["']?([^"']{1,2000})/i.exec(
        meta.getAttribute('content') ?? '',
      ) ?? [];
    if (to !== undefined && URL.canParse(to.trim(), base)) return new URL(to.trim(), base).href;
  }
  return null;
}

/** Styles with which a text is there for machines alone. */
const hiding =
  /(?:^|;)\s{0,9}(?:display\s{0,9}:\s{0,9}none|visibility\s{0,9}:\s{0,9}(?:hidden|collapse)|opacity\s{0,9}:\s{0,9}0(?:\.0{1,9})?\s{0,9}(?:;|!|$)|font-size\s{0,9}:\s{0,9}[01](?:\.\d{1,9})?(?:px|pt|em|rem|%)?\s{0,9}(?:;|!|$)|(?:left|top|text-indent)\s{0,9}:\s{0,9}-\d{3,9})/i;
/** Hidden by an attribute. Text for screen readers alone is not among it: they read it aloud. */
const hiddenElements = '[hidden], [aria-hidden="true"], input[type="hidden"]';

/** @returns how many parts with text were left out. */
function withoutHidden(document: Document): number {
  const found = new Set<Element>(document.querySelectorAll(hiddenElements));
  for (const element of document.querySelectorAll('[style]'))
    if (hiding.test(element.getAttribute('style') ?? '')) found.add(element);
  for (const selector of hidingSelectors(document))
    try {
      for (const element of document.querySelectorAll(selector)) found.add(element);
    } catch {
      // A selector of another time or of a browser's own.
    }
  let parts = 0;
  for (const element of found) {
    const isPage = element === document.body || element === document.documentElement;
    if (isPage || !element.parentNode) continue;
    if ((element.textContent ?? '').trim() !== '' && !element.matches('script, style, template, noscript')) parts++;
    element.remove();
  }
  return parts;
}

/** Most rules of the page's own style sheets that are tried. */
const maxRules = 200;

/** Selectors of the page's own rules that hide. Rules within `@media` and the like are left out: they may not apply. */
function hidingSelectors(document: Document): string[] {
  const selectors: string[] = [];
  for (const sheet of document.querySelectorAll('style')) {
    const css = sheet.textContent ?? '';
    let depth = 0;
    let from = 0;
    for (let at = 0; at < css.length && selectors.length < maxRules; at++) {
      if (css[at] === '{') {
        if (depth++ > 0) continue;
        const close = css.indexOf('}', at);
        const selector = css
          .slice(from, at)
          .replaceAll(/\/\*[^*]{0,1000}\*\//g, '')
          .trim();
        const isPlain = selector !== '' && selector.length <= 200 && !selector.startsWith('@') && !/[:]/.test(selector);
        if (isPlain && close > 0 && hiding.test(css.slice(at + 1, close))) selectors.push(selector);
      } else if (css[at] === '}') {
        depth = Math.max(0, depth - 1);
        from = at + 1;
      }
    }
  }
  return selectors;
}

/** Links and pictures lead where they lead from the page. What is no address of the web stays as text. */
function makeAbsolute(document: Document, base: string): void {
  for (const [selector, attribute] of [
    ['a[href]', 'href'],
    ['img[src]', 'src'],
  ] as const)
    for (const element of document.querySelectorAll(selector)) {
      const said = element.getAttribute(attribute) ?? '';
      const url = URL.canParse(said, base) ? new URL(said, base) : null;
      if (url && (url.protocol === 'http:' || url.protocol === 'https:')) element.setAttribute(attribute, url.href);
      else element.removeAttribute(attribute);
    }
}

function markdownOf(element: Element): string {
  const turndown = new TurndownService({ headingStyle: 'atx', codeBlockStyle: 'fenced', bulletListMarker: '-', hr: '---' });
  turndown.addRule('cell', { filter: ['td', 'th'], replacement: (text) => ` ${inOneLine(text)} |` });
  turndown.addRule('row', { filter: 'tr', replacement: (text) => `|${text}\n` });
  turndown.addRule('table', { filter: ['table', 'thead', 'tbody', 'tfoot'], replacement: (text) => `\n\n${text.trim()}\n\n` });
  // A picture that says nothing about itself is nothing to a reader of text.
  turndown.addRule('picture', {
    filter: 'img',
    replacement: (_, node) => {
      const image = node as unknown as Element;
      const alt = image.getAttribute('alt')?.trim() ?? '';
      const src = image.getAttribute('src') ?? '';
      return alt === '' ? '' : `![${alt.replaceAll(/[\n[\]]/g, ' ')}](${src})`;
    },
  });
  turndown.addRule('field', {
    filter: ['input', 'select', 'textarea', 'button'],
    replacement: (text, node) => {
      const field = node as unknown as Element;
      const name = field.getAttribute('aria-label') ?? field.getAttribute('placeholder') ?? field.getAttribute('name') ?? '';
      return field.tagName === 'BUTTON' ? `[button: ${text.trim()}]` : name ? `[field: ${name}]` : '';
    },
  });
  return turndown
    .turndown(element as never)
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
    .replaceAll(/\n{3,}/g, '\n\n')
    .trim();
}

const inOneLine = (text: string): string =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
    .join(' ');
