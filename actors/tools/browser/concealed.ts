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
const Told = z.object({
  hidden: z.array(z.string()).max(1_000),
  secrets: z.array(z.string()).max(1_000),
  title: z.string(),
  size: z.enum(['fits', 'too large', 'shadowed']),
});

export interface FirstLook extends Concealed {
  readonly title: string;
  /**
   * Whether its accessibility tree can be read: not where the page is too large, nor where fields of a form are named like the
   * functions by which it is read.
   */
  readonly hasTree: boolean;
}

/** @returns nothing of a frame that does not answer in time: then its snapshot fails as well, with a reason. */
export async function concealedIn(page: Page): Promise<FirstLook> {
  const found = await Promise.all(
    page.frames().map((frame) =>
      withinMs(lookMs, frame.evaluate(look))
        .then(Told.parse)
        .catch(() => ({ ...nothingConcealed, title: '', size: 'fits' as const })),
    ),
  );
  const hidden = found.flatMap((one) => one.hidden.map(inOnePageLine)).filter(Boolean);
  const byLength = [...new Set(hidden)].sort((a, b) => b.length - a.length);
  return {
    ...{ hidden: byLength, secrets: found.flatMap((one) => one.secrets), title: found[0]?.title ?? '' },
    hasTree: found.every(({ size }) => size === 'fits'),
  };
}

// The compiler of this house knows no documents, since only the functions that run in a page have one.
// biome-ignore lint/suspicious/noExplicitAny: see above.
type InPage = any;
declare const document: InPage;
declare const getComputedStyle: InPage;
declare const scrollX: number;
declare const scrollY: number;

/** Runs in the page. Fields of a form and of a document may hide their functions, so those of the classes are called. */
const look = (): z.infer<typeof Told> => {
  const { Document, DocumentFragment, Element, HTMLInputElement, Node } = globalThis as InPage;
  const getter = (of: InPage, name: string) => {
    const { get } = Object.getOwnPropertyDescriptor(of.prototype, name)!;
    return (it: InPage): InPage => get!.call(it);
  };
  const [parentOf, childNodesOf, textOf] = [
    getter(Node, 'parentElement'),
    getter(Node, 'childNodes'),
    getter(Node, 'textContent'),
  ];
  const [tagOf, shadowOf] = [getter(Element, 'tagName'), getter(Element, 'shadowRoot')];
  const all = (root: InPage): InPage =>
    (root === document ? Document : DocumentFragment).prototype.querySelectorAll.call(root, '*');
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
    const found = backgroundImage !== 'none' ? '' : isClear ? backgroundOf(parentOf(element)) : backgroundColor;
    backgrounds.set(element, found);
    return found;
  };
  const isUnseen = (element: InPage): boolean => {
    const before = known.get(element);
    if (before !== undefined) return before;
    const style = getComputedStyle(element);
    const box = Element.prototype.getBoundingClientRect.call(element);
    const isOff = box.right + scrollX < 0 || box.bottom + scrollY < 0;
    const isTiny = Number.parseFloat(style.fontSize) < 3 || (box.width <= 1 && box.height <= 1 && style.overflow !== 'visible');
    const isFaint = !Element.prototype.checkVisibility.call(element, { opacityProperty: true, visibilityProperty: true });
    const isBlank = style.color === backgroundOf(element) || (style.color.startsWith('rgba') && style.color.endsWith(', 0)'));
    const unseen = isOff || isTiny || isFaint || isBlank;
    known.set(element, unseen);
    return unseen;
  };
  const isLarge =
    Document.prototype.getElementsByTagName.call(document, '*').length > 20_000 ||
    String(textOf(Document.prototype.querySelector.call(document, '*'))).length > 5_000_000;
  // Of a large page only the first parts are shown.
  const most = isLarge ? 5_000 : 20_000;
  const walk = (root: InPage): void => {
    for (const element of all(root)) {
      if (++nodes > most) return;
      const inner = shadowOf(element);
      if (inner) walk(inner);
      if (element instanceof HTMLInputElement && element.type === 'password' && element.value) secrets.push(element.value);
      if (/^(?:SCRIPT|STYLE|NOSCRIPT|TEMPLATE|OPTION|HEAD|TITLE)$/i.test(tagOf(element))) continue;
      for (const child of childNodesOf(element))
        if (child.nodeType === 3 && child.nodeValue.trim()) {
          if (!isUnseen(element)) read += ` ${child.nodeValue}`;
          else if (hidden.length < 500) hidden.push(child.nodeValue);
        }
    }
  };
  walk(document);
  // A text that also stands where everybody sees it is not hidden.
  const whole = plain(read);
  // The names that the code of playwright-core reads from each element on its way.
  const readByName = `parentElement firstChild nextSibling nodeType shadowRoot assignedSlot ownerDocument getAttribute hasAttribute
    getBoundingClientRect checkVisibility`;
  const names = readByName
    .split(/\s+/)
    .map((name) => `form [name=${name}], form [id=${name}], [form][name=${name}], [form][id=${name}]`);
  const isShadowed =
    getter(Document, 'forms')(document).length > 0 && Document.prototype.querySelector.call(document, names.join()) !== null;
  return {
    hidden: hidden.map(plain).filter((text) => !whole.includes(text)),
    secrets,
    title: String(getter(Document, 'title')(document)),
    size: isLarge ? 'too large' : isShadowed ? 'shadowed' : 'fits',
  };
};
