/**
 * The accessibility tree of a page as short lines: what can be acted on has its ref in front, headings have `#`, text stands alone.
 * Containers without meaning are left out, and so are texts that only repeat the name beside them.
 */
import { type AriaNode, isActive } from './aria-tree.ts';
import { inOnePageLine, shortPageLine } from './page-words.ts';

/** The lower, the sooner it is kept: messages first, then headings, fields and buttons, then links, then text. */
export type Weight = 0 | 1 | 2 | 3;
export interface PageLine {
  readonly text: string;
  /** The element of the line; null for text. */
  readonly ref: string | null;
  readonly weight: Weight;
}

/** Things that a page keeps from the eye, and secrets. */
export interface Concealed {
  /** Texts that nobody sees: transparent, off the page, tiny, in the colour of their background. */
  readonly hidden: readonly string[];
  /** The values of fields for passwords. */
  readonly secrets: readonly string[];
}
export const nothingConcealed: Concealed = { hidden: [], secrets: [] };

interface Options extends Concealed {
  /** Items of one list that are written out before the rest is counted; infinite where a part was asked for. */
  readonly listItems: number;
  readonly maxTextChars: number;
}

const messages = new Set(['alert', 'alertdialog', 'dialog', 'status', 'log']);
const fields = new Set(['textbox', 'searchbox', 'spinbutton', 'slider', 'combobox', 'listbox']);
/** Options of a list of choices that are written out. */
const maxOptions = 8;

export function pageLines(nodes: readonly AriaNode[], given: Partial<Options> = {}): PageLine[] {
  const options: Options = { ...nothingConcealed, listItems: 8, maxTextChars: 300, ...given };
  const lines: PageLine[] = [];
  write(nodes, options, lines);
  return lines;
}

function write(nodes: readonly AriaNode[], options: Options, lines: PageLine[], within: AriaNode | null = null): void {
  const folded = foldFrom(nodes, options.listItems);
  for (const [at, node] of nodes.entries()) {
    if (at === folded.from) {
      const where = within?.ref ? `; snapshot with part "${within.ref}" shows them` : '';
      lines.push({ text: `(${folded.to - folded.from} more like these${where})`, ref: null, weight: 2 });
    }
    if (at >= folded.from && at < folded.to) continue;
    if (isLabelOf(node, nodes[at + 1]) || isLabelOf(node, nodes[at - 1])) continue;
    writeOne(node, options, lines);
  }
}

/** The longest run of siblings of one sort is folded after its first ones. */
function foldFrom(nodes: readonly AriaNode[], items: number): { from: number; to: number } {
  let best = { from: -1, to: -1 };
  for (let from = 0; from < nodes.length; ) {
    const sort = nodes[from]!.role;
    let to = from + 1;
    while (to < nodes.length && nodes[to]!.role === sort) to++;
    if (to - from > items + 2 && to - from > best.to - best.from && sort !== 'text') best = { from: from + items, to };
    from = to;
  }
  return best;
}

/** `text: Name` beside `textbox "Name"`. */
const isLabelOf = (node: AriaNode, beside: AriaNode | undefined): boolean =>
  beside !== undefined &&
  (node.role === 'text' || node.role === 'generic') &&
  node.children.length === 0 &&
  isActive(beside) &&
  !isActive(node) &&
  inOnePageLine(node.text) === inOnePageLine(beside.name);

function writeOne(node: AriaNode, options: Options, lines: PageLine[]): void {
  const { role, name, ref, children } = node;
  const say = (text: string, weight: Weight, it: string | null = null) => lines.push({ text, ref: it, weight });
  const said = inOnePageLine(name);
  if (role === 'heading') {
    const level = Number(node.states.find((state) => state.startsWith('level='))?.slice(6) ?? 2);
    const text = plain(name || node.text || textOf(node), options);
    if (text) say(`${'#'.repeat(Math.min(Math.max(level, 1), 6))} ${text}`, 1);
    write(children.filter(isActiveInside), options, lines, node);
    return;
  }
  if (isActive(node)) {
    say(activeLine(node, options), role === 'link' || role === 'option' ? 2 : 1, ref);
    if (role === 'combobox' || role === 'listbox') return;
    const own = said || inOnePageLine(textOf(node));
    const unsaid = children.filter((child) => isActiveInside(child) || !own.includes(inOnePageLine(textOf(child))));
    write(unsaid, options, lines, node);
    return;
  }
  if (role === 'row' && !children.some(isActiveInside)) {
    const cells = children.map((cell) => plain(cell.name || textOf(cell), options)).filter(Boolean);
    if (cells.length > 0) say(cells.join(' · '), 3);
    return;
  }
  if (messages.has(role)) {
    const text = plain(name, options);
    const words = children.length === 0 ? plain(node.text, options) : '';
    say(`[${role}${text ? ` ${JSON.stringify(text)}` : ''}]${words ? ` ${words}` : ''}`, 0, ref);
    const inside: PageLine[] = [];
    write(children, options, inside, node);
    // The words of a message matter as much as that there is one.
    for (const line of inside) lines.push(line.weight === 3 ? { ...line, weight: 0 } : line);
    return;
  }
  if (role === 'img') {
    if (said) say(`picture ${JSON.stringify(plain(name, options))}`, 3, null);
    return;
  }
  if (role === 'iframe') say(`[frame${said ? ` ${JSON.stringify(plain(name, options))}` : ''}]`, 2, ref);
  const text = plain([role === 'text' ? '' : name, node.text].filter(Boolean).join(' '), options);
  if (text && role !== 'iframe' && !isGroup(node)) say(text, 3);
  write(children, options, lines, node);
}

/** The name of a group repeats what is in it, or is told by its parts. */
const isGroup = ({ role, children }: AriaNode): boolean =>
  children.length > 0 && ['row', 'cell', 'listitem', 'article'].includes(role);

const isActiveInside = (node: AriaNode): boolean => isActive(node) || node.children.some(isActiveInside);

export const textOf = (node: AriaNode): string =>
  [node.role === 'text' ? '' : node.name, node.text, ...node.children.map(textOf)].filter(Boolean).join(' ');

function activeLine(node: AriaNode, options: Options): string {
  const { role, states, text, children, ref } = node;
  const name = plain(node.name || (fields.has(role) ? '' : textOf(node)), { ...options, maxTextChars: 120, hidden: [] });
  const sort = role === 'generic' ? (states.includes('cursor=pointer') ? 'clickable' : 'part') : role;
  const known = states.filter((state) => !['cursor=pointer', 'active'].includes(state) && !state.startsWith('level='));
  const options_ = children.filter((child) => child.role === 'option');
  const chosen = options_.filter((option) => option.states.includes('selected')).map((option) => option.name);
  const value = fields.has(role) ? (options_.length > 0 ? chosen.join(', ') : text) : '';
  const secret = value !== '' && options.secrets.includes(value);
  const shown = secret ? '••••••' : shortPageLine(value, 120);
  const choices = options_.slice(0, maxOptions).map((option) => JSON.stringify(shortPageLine(option.name, 40)));
  const more = options_.length > choices.length ? ` and ${options_.length - choices.length} more` : '';
  return [
    `${ref} ${sort}${name ? ` ${JSON.stringify(name)}` : ''}`,
    ...(value || fields.has(role) ? [`= ${JSON.stringify(shown)}`] : []),
    ...known.map((state) => `[${state}]`),
    ...(choices.length > 0 ? [`of ${choices.join(', ')}${more}`] : []),
  ].join(' ');
}

/** Text of the page in one line; what nobody can see on it is marked. */
function plain(text: string, { hidden, maxTextChars }: Pick<Options, 'hidden' | 'maxTextChars'>): string {
  let line = inOnePageLine(text);
  if (line === '') return '';
  for (const words of hidden) {
    if (line === words) return '';
    if (words.length >= 4) line = line.replaceAll(words, '[hidden text]');
  }
  return shortPageLine(line, maxTextChars);
}
