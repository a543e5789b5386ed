/**
 * Looks at a page that is too large for its accessibility tree, or whose forms hide the functions by which that tree is read: the
 * first headings, controls and texts of it, and the last ones. The work in the page is bounded, whatever its size.
 */
import type { Frame, Page } from 'playwright-core';
import { z } from 'zod';
import type { AriaNode } from './aria-tree.ts';
import { withinMs } from './within.ts';

const lookMs = 8_000;
const maxRefs = 5_000;

/** An element as the page describes it. A page can change the functions that it is asked with, so it is checked. */
const Seen = z.object({
  role: z.string().max(30),
  name: z.string().max(400),
  level: z.int().min(0).max(6),
  states: z.array(z.string().max(20)).max(5),
  value: z.string().max(400),
  url: z.string().max(2_000),
  options: z.array(z.object({ name: z.string().max(100), chosen: z.boolean() })).max(50),
  path: z.string().max(2_000).describe('XPath of the element; empty for text.'),
  mark: z.string().max(400).describe('What the element is; another one at the same place has another mark.'),
});
const Told = z.object({ seen: z.array(Seen).max(1_000), elements: z.int(), controls: z.int(), texts: z.int() });

interface Place {
  readonly path: string;
  readonly mark: string;
}
interface Refs {
  readonly known: Map<string, string>;
  readonly places: Map<string, Place>;
  count: number;
}
const refs = new WeakMap<Page, Refs>();

/** The place of an element that such a look has named `w12`; null for other refs. */
export const placeOf = (page: Page, ref: string): Place | null => refs.get(page)?.places.get(ref) ?? null;

export interface PlainSight {
  readonly nodes: readonly AriaNode[];
  /** A line about what is left out. */
  readonly about: string;
}

/** @param words only elements and texts that have them. Default: those that come first and last. */
export async function plainLook(page: Page, signal: AbortSignal, words = ''): Promise<PlainSight> {
  const asked = { words: words.toLocaleLowerCase(), most: words === '' ? 240 : 100 };
  const frame: Frame = page.mainFrame();
  const told = Told.safeParse(await withinMs(lookMs, frame.evaluate(look, asked), signal));
  if (!told.success) throw new Error('the page does not say what is on it; extract may read its text');
  const { seen, elements, controls, texts } = told.data;
  const known: Refs = refs.get(page) ?? { known: new Map(), places: new Map(), count: 0 };
  refs.set(page, known);
  return {
    nodes: seen.map((one) => asNode(one, known)),
    about: `(This page of ${elements} elements is not looked at whole. Of its ${controls} headings and controls and ${texts} texts these are ${
      words === '' ? 'the first and the last' : 'some that have these words'
    }; snapshot with a word as \`part\` finds others, extract reads text.)`,
  };
}

function asNode({ role, name, level, states, value, url, options, path, mark }: z.infer<typeof Seen>, known: Refs): AriaNode {
  const children = options.map((option) => node('option', option.name, { states: option.chosen ? ['selected'] : [] }));
  const ref = path === '' ? null : refFor({ path, mark }, known);
  const told = [...states, ...(role === 'heading' ? [`level=${level}`] : [])];
  if (role === 'text') return node('text', '', { text: name });
  return node(role, name, { ref, states: told, text: value, url: url || null, children });
}

const node = (role: string, name: string, more: Partial<AriaNode>): AriaNode => ({
  ...{ role, name, ref: null, states: [], text: '', url: null, children: [] },
  ...more,
});

/** The same element keeps its ref. */
function refFor({ path, mark }: Place, all: Refs): string {
  const key = `${path} ${mark}`;
  const ref = all.known.get(key) ?? `w${++all.count}`;
  all.known.set(key, ref);
  all.places.set(ref, { path, mark });
  if (all.known.size > maxRefs) {
    const [oldest, gone] = all.known.entries().next().value!;
    all.known.delete(oldest);
    all.places.delete(gone);
  }
  return ref;
}

// The compiler of this house knows no documents, since only the functions that run in a page have one.
// biome-ignore lint/suspicious/noExplicitAny: see above.
type InPage = any;
declare const document: InPage;
declare const scrollX: number;
declare const scrollY: number;

/** Runs in the page, on an element: its mark as `look` gives it. */
export const markOf = (element: InPage): string => {
  const { Element, Node } = globalThis as InPage;
  const attribute = (name: string): string => Element.prototype.getAttribute.call(element, name) ?? '';
  const text = Object.getOwnPropertyDescriptor(Node.prototype, 'textContent')!.get!.call(element);
  const parts = [element.localName, ...['type', 'name', 'href', 'aria-label'].map(attribute), text.slice(0, 100)];
  return parts.join(' ').replace(/\s+/g, ' ').slice(0, 400);
};

/** Runs in the page. Fields of a form and of a document may hide their functions, so those of the classes are called. */
const look = ({ words, most }: { words: string; most: number }): z.infer<typeof Told> => {
  const { Document, Element, HTMLElement, Node, NodeFilter } = globalThis as InPage;
  const getter = (of: InPage, name: string) => {
    const { get } = Object.getOwnPropertyDescriptor(of.prototype, name)!;
    return (it: InPage): InPage => get!.call(it);
  };
  const attribute = (of: InPage, name: string): string => Element.prototype.getAttribute.call(of, name) ?? '';
  const has = (of: InPage, name: string): boolean => Element.prototype.hasAttribute.call(of, name);
  const find = (selector: string): InPage[] => [...Document.prototype.querySelectorAll.call(document, selector)];
  const [parentOf, textOf, childrenOf, tagOf] = [
    getter(Node, 'parentNode'),
    getter(Node, 'textContent'),
    getter(Element, 'children'),
    getter(Element, 'localName'),
  ];
  // This bounds what the page hands over; the node cuts its lines between two letters.
  const plain = (text: string, upTo: number): string => {
    const line = String(text).replace(/\s+/g, ' ').trim();
    return line.length <= upTo ? line : line.slice(0, upTo).toWellFormed();
  };
  const isSeen = (element: InPage): boolean => {
    if (!Element.prototype.checkVisibility.call(element, { opacityProperty: true, visibilityProperty: true })) return false;
    const box = Element.prototype.getBoundingClientRect.call(element);
    return box.right + scrollX >= 0 && box.bottom + scrollY >= 0 && (box.width > 1 || box.height > 1);
  };
  const places = new Map<InPage, Map<InPage, number>>();
  const pathOf = (element: InPage): string => {
    let path = '';
    for (let at = element; parentOf(at); at = parentOf(at)) {
      const above = parentOf(at);
      // The children of a document are the root alone.
      const siblings = above === document ? [at] : childrenOf(above);
      const known = places.get(above) ?? new Map([...siblings].map((it, i) => [it, i + 1]));
      places.set(above, known);
      path = `/*[${known.get(at) ?? 1}]${path}`;
    }
    return path;
  };
  const mark = (element: InPage): string => {
    const parts = [tagOf(element), ...['type', 'name', 'href', 'aria-label'].map((it) => attribute(element, it))];
    return [...parts, String(textOf(element)).slice(0, 100)].join(' ').replace(/\s+/g, ' ').slice(0, 400);
  };
  const labelOf = (field: InPage): string => {
    // The options of a list in its label are no part of its name.
    const named = [...(field.labels ?? [])].map((label) => String(textOf(label)).replace(textOf(field), '')).join(' ');
    return attribute(field, 'aria-label') || named || attribute(field, 'placeholder') || attribute(field, 'title');
  };
  const fieldRoles: Record<string, string> = {
    checkbox: 'checkbox',
    radio: 'radio',
    range: 'slider',
    number: 'spinbutton',
    search: 'searchbox',
  };
  const described = (element: InPage) => {
    const tag = tagOf(element);
    const type = tag === 'input' ? String(element.type) : '';
    const isButton = tag === 'button' || tag === 'summary' || /^(?:submit|button|reset|image)$/.test(type);
    const isField = /^(?:input|select|textarea)$/.test(tag) && !isButton;
    const level = /^h[1-6]$/.test(tag) ? Number(tag[1]) : 0;
    const given = attribute(element, 'role').split(' ')[0]!;
    const role =
      given ||
      (level > 0
        ? 'heading'
        : tag === 'a'
          ? 'link'
          : isButton
            ? 'button'
            : tag === 'select'
              ? 'combobox'
              : (fieldRoles[type] ?? (isField ? 'textbox' : 'generic')));
    const isToggle = type === 'checkbox' || type === 'radio';
    const name = isField
      ? labelOf(element)
      : attribute(element, 'aria-label') || textOf(element) || element.value || attribute(element, 'title');
    const options = tag === 'select' ? [...element.options].slice(0, 50) : [];
    return {
      ...{ role: plain(role, 30), name: plain(name, 300), level },
      states: [...(has(element, 'disabled') ? ['disabled'] : []), ...(isToggle && element.checked ? ['checked'] : [])],
      value: isField && !isToggle && tag !== 'select' && type !== 'password' ? plain(element.value, 300) : '',
      url: tag === 'a' ? attribute(element, 'href').slice(0, 300) : '',
      options: options.map((option: InPage) => ({ name: plain(option.label, 100), chosen: option.selected === true })),
      ...{ path: pathOf(element), mark: mark(element) },
    };
  };
  const isWanted = (text: string): boolean => words === '' || text.toLowerCase().includes(words);
  /** The first ones, and where no words are looked for the last ones, as far as they can be seen. */
  const chosen = (all: InPage[], seenAs: (it: InPage) => InPage): InPage[] => {
    const first: InPage[] = [];
    const last: InPage[] = [];
    const ends = words === '' ? most / 6 : 0;
    for (let at = all.length - 1, looks = 0; last.length < ends && at >= 0 && looks < 500; at--, looks++)
      if (isSeen(seenAs(all[at]))) last.unshift(all[at]);
    const until = last.length > 0 ? all.indexOf(last[0]) : all.length;
    for (let at = 0, looks = 0; first.length < most && at < until && looks < 5_000; at++, looks++)
      if (isSeen(seenAs(all[at]))) first.push(all[at]);
    return [...first, ...last];
  };
  const selector = `h1, h2, h3, h4, h5, h6, a[href], button, input:not([type=hidden]), select, textarea, summary, [role=button],
    [role=link], [role=tab], [role=menuitem], [role=checkbox], [role=switch], [role=option], [contenteditable=true], [onclick]`;
  const controls = find(selector).filter(
    (it) => words === '' || isWanted(`${labelOf(it)} ${String(textOf(it)).slice(0, 2_000)}`),
  );
  const walker = Document.prototype.createTreeWalker.call(document, document, NodeFilter.SHOW_TEXT);
  const texts: InPage[] = [];
  for (let text = walker.nextNode(); text && texts.length < 500_000; text = walker.nextNode()) {
    const { data } = text;
    const parent = parentOf(text);
    if (!/\S/.test(data) || !(parent instanceof HTMLElement) || !isWanted(data)) continue;
    if (!/^(?:script|style|noscript|template|option|title|textarea|button|a|h[1-6]|label|summary)$/.test(tagOf(parent)))
      texts.push(text);
  }
  const kept = [...chosen(controls, (it) => it), ...chosen(texts, parentOf)];
  const order = (a: InPage, b: InPage): number => (Node.prototype.compareDocumentPosition.call(a, b) & 4 ? -1 : 1);
  const none = { level: 0, states: [], value: '', url: '', options: [], path: '', mark: '' };
  return {
    seen: kept
      .sort(order)
      .map((it) => (it.nodeType === 3 ? { ...none, role: 'text', name: plain(it.data, 400) } : described(it))),
    elements: Document.prototype.getElementsByTagName.call(document, '*').length,
    ...{ controls: controls.length, texts: texts.length },
  };
};
