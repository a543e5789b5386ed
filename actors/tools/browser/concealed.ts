/**
 * Finds what a page keeps from the eye, so that an agent is told: texts that nobody sees are a way to put words into an agent's
 * mouth that no operator would notice. This is a help, no guarantee: a page can hide text in further ways.
 */
import type { Page } from 'playwright-core';
import { z } from 'zod';
import { type Concealed, nothingConcealed } from './page-lines.ts';
import { inOnePageLine } from './page-words.ts';
import { withinMs } from './within.ts';

const lookMs = 2_000;
/** A page can change the functions that it is asked with, so what it says is checked. */
const Told = z.object({ hidden: z.array(z.string()).max(1_000), secrets: z.array(z.string()).max(1_000), title: z.string() });

/** @returns nothing where the page does not answer in time: then its snapshot fails as well, with a reason. */
export async function concealedIn(page: Page): Promise<Concealed & { readonly title: string }> {
  const found = await Promise.all(
    page.frames().map((frame) =>
      withinMs(lookMs, frame.evaluate(look))
        .then(Told.parse)
        .catch(() => ({ ...nothingConcealed, title: '' })),
    ),
  );
  const hidden = found.flatMap((one) => one.hidden.map(inOnePageLine)).filter(Boolean);
  const byLength = [...new Set(hidden)].sort((a, b) => b.length - a.length);
  return { hidden: byLength, secrets: found.flatMap((one) => one.secrets), title: found[0]?.title ?? '' };
}

// The compiler of this house knows no documents, since only the functions that run in a page have one.
// biome-ignore lint/suspicious/noExplicitAny: see above.
type InPage = any;
declare const document: InPage;
declare const getComputedStyle: InPage;
declare const scrollX: number;
declare const scrollY: number;

/** Runs in the page. */
const look = (): Concealed & { title: string } => {
  const hidden: string[] = [];
  const secrets: string[] = [];
  const plain = (text: string): string => text.replace(/\s+/g, ' ').trim();
  let read = '';
  let nodes = 0;
  const known = new Map<InPage, boolean>();
  const backgrounds = new Map<InPage, string>();
  const backgroundOf = (element: InPage): string => {
    if (!element) return 'rgb(255, 255, 255)';
    const before = backgrounds.get(element);
    if (before !== undefined) return before;
    const { backgroundColor, backgroundImage } = getComputedStyle(element);
    const isClear = backgroundColor === 'transparent' || backgroundColor.endsWith(', 0)');
    const found = backgroundImage !== 'none' ? '' : isClear ? backgroundOf(element.parentElement) : backgroundColor;
    backgrounds.set(element, found);
    return found;
  };
  const isUnseen = (element: InPage): boolean => {
    const before = known.get(element);
    if (before !== undefined) return before;
    const style = getComputedStyle(element);
    const box = element.getBoundingClientRect();
    const isOff = box.right + scrollX < 0 || box.bottom + scrollY < 0;
    const isTiny = Number.parseFloat(style.fontSize) < 3 || (box.width <= 1 && box.height <= 1 && style.overflow !== 'visible');
    const isFaint = !element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
    const isBlank = style.color === backgroundOf(element) || (style.color.startsWith('rgba') && style.color.endsWith(', 0)'));
    const unseen = isOff || isTiny || isFaint || isBlank;
    known.set(element, unseen);
    return unseen;
  };
  const walk = (root: InPage): void => {
    for (const element of root.querySelectorAll('*')) {
      if (++nodes > 50000) return;
      if (element.shadowRoot) walk(element.shadowRoot);
      if (element.type === 'password' && element.value) secrets.push(element.value);
      if (/^(?:SCRIPT|STYLE|NOSCRIPT|TEMPLATE|OPTION|HEAD|TITLE)$/i.test(element.tagName)) continue;
      for (const child of element.childNodes)
        if (child.nodeType === 3 && child.nodeValue.trim()) {
          if (!isUnseen(element)) read += ` ${child.nodeValue}`;
          else if (hidden.length < 500) hidden.push(child.nodeValue);
        }
    }
  };
  walk(document);
  // A text that also stands where everybody sees it is not hidden.
  const all = plain(read);
  return { hidden: hidden.map(plain).filter((text) => !all.includes(text)), secrets, title: String(document.title) };
};
