/**
 * Finds the element that an agent means: by its ref, or by the words on it or beside it. Where there is none, the error says what
 * is there instead.
 */
import type { Locator, Page } from 'playwright-core';
import { type AriaNode, everyNode, isActive } from './aria-tree.ts';
import { textOf } from './page-lines.ts';
import { inOnePageLine, shortPageLine } from './page-words.ts';
import { isThere, lastSight, locatorOf, nodeWithRef, type Sight, see } from './sight.ts';

export interface Found {
  readonly locator: Locator;
  /** `button "Send"`. */
  readonly words: string;
  readonly node: AriaNode;
}

const refPattern = /^(?:(?:f\d{1,6})?e|w)\d{1,9}$/;
const fieldRoles = new Set([
  'textbox',
  'searchbox',
  'combobox',
  'spinbutton',
  'slider',
  'listbox',
  'checkbox',
  'radio',
  'switch',
]);

/** @param wanted `field`: where words fit several elements, those that can be filled in come first. */
export async function elementFor(page: Page, given: string, wanted: 'field' | 'any', signal: AbortSignal): Promise<Found> {
  // Models copy more of a line than its ref: `[ref=e5]`, `e5 button "Send"`.
  const target = /^\[?(?:ref=)?((?:(?:f\d{1,6})?e|w)\d{1,9})\b/.exec(given.trim())?.[1] ?? given.trim();
  if (refPattern.test(target)) {
    const known = lastSight(page);
    const node = known && nodeWithRef(known, target);
    if (node && (await isThere(page, target))) return { locator: locatorOf(page, target), words: wordsOf(node), node };
    const now = await see(page, signal);
    const there = nodeWithRef(now, target);
    if (there && isActive(there)) return { locator: locatorOf(page, target), words: wordsOf(there), node: there };
    throw new Error(
      `${target} is not on the page${node ? ` any more (it was ${wordsOf(node)})` : ''}. ${nearestTo(now, node?.name ?? '')}`,
    );
  }
  const before = lastSight(page);
  const [known, ...others] = before && before.url === page.url() ? byWords(before, target, wanted) : [];
  if (known && others.length === 0) {
    if (await isThere(page, known.ref!)) return { locator: locatorOf(page, known.ref!), words: wordsOf(known), node: known };
  }
  const now = await see(page, signal, target);
  const found = byWords(now, target, wanted);
  if (found.length === 1) return { locator: locatorOf(page, found[0]!.ref!), words: wordsOf(found[0]!), node: found[0]! };
  if (found.length > 1) throw new Error(`${quoted(target)} is ${found.length} elements; name one by its ref:\n${listed(found)}`);
  const text = wanted === 'any' ? await textAt(page, target) : null;
  if (text) return text;
  throw new Error(`nothing on the page is named ${quoted(target)}. ${nearestTo(now, target)}`);
}

/** Some pages let plain text be clicked, and tell nobody. @returns null unless the text is there once. */
async function textAt(page: Page, words: string): Promise<Found | null> {
  const locator = page.getByText(words, { exact: true }).filter({ visible: true });
  if ((await locator.count()) !== 1) return null;
  return { locator, words: `text ${quoted(words)}`, node: { ...plainText, name: words } };
}
const plainText: AriaNode = { role: 'text', name: '', ref: null, states: [], text: '', url: null, children: [] };

const quoted = (words: string): string => JSON.stringify(shortPageLine(words, 120));
export const wordsOf = ({ role, name, text, children }: AriaNode): string =>
  `${role === 'generic' ? 'element' : role} ${quoted(name || (fieldRoles.has(role) ? '' : [text, ...children.map(textOf)].join(' ')))}`;

const plain = (words: string): string =>
  inOnePageLine(words)
    .toLocaleLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();

function byWords({ nodes }: Sight, target: string, wanted: 'field' | 'any'): AriaNode[] {
  const asked = plain(target.replace(/^(?:button|link|textbox|checkbox|combobox|field|radio)\s+(?=["“'])/i, ''));
  const all = [...everyNode(nodes)].filter(isActive).map((node) => ({ node, name: plain(node.name || textOf(node)) }));
  const choose = (fits: (name: string) => boolean): AriaNode[] => {
    const found = all.filter(({ name }) => name !== '' && fits(name)).map(({ node }) => node);
    const fields = found.filter(({ role }) => fieldRoles.has(role));
    return wanted === 'field' && fields.length > 0 ? fields : found;
  };
  // Words such as `>` have no letters.
  if (asked === '') return all.map(({ node }) => node).filter(({ name }) => inOnePageLine(name) === inOnePageLine(target));
  const exact = choose((name) => name === asked);
  if (exact.length > 0) return innermost(exact);
  const beginning = choose((name) => name.startsWith(asked));
  if (beginning.length === 1) return beginning;
  return innermost(choose((name) => ` ${name}`.includes(` ${asked}`) || ` ${asked} `.includes(` ${name} `)));
}

/** A clickable box and the button in it have the same words. */
const innermost = (found: readonly AriaNode[]): AriaNode[] =>
  found.filter((node) => ![...everyNode(node.children)].some((inner) => found.includes(inner)));

const maxListed = 8;
const listed = (nodes: readonly AriaNode[]): string =>
  nodes
    .slice(0, maxListed)
    .map((node) => `| ${node.ref} ${wordsOf(node)}`)
    .join('\n');

/** The elements whose words are most like these, else the first ones. */
export function nearestTo({ nodes }: Pick<Sight, 'nodes'>, words: string): string {
  const active = [...everyNode(nodes)].filter(isActive);
  if (active.length === 0) return 'Nothing on it can be acted on.';
  const parts = new Set(
    plain(words)
      .split(' ')
      .filter((part) => part.length > 1),
  );
  const likeness = (node: AriaNode) =>
    plain(node.name || textOf(node))
      .split(' ')
      .filter((part) => parts.has(part)).length;
  const ranked = active.map((node) => ({ node, like: likeness(node) })).sort((a, b) => b.like - a.like);
  const more = active.length > maxListed ? `\n(and ${active.length - maxListed} more; snapshot shows them)` : '';
  return `There are:\n${listed(ranked.map(({ node }) => node))}${more}`;
}
