/**
 * Where a value is set in the text of a YAML file. Only the place of the change is written, so that comments, order and form of
 * everything else stay as they are. What cannot be changed this way is refused; nothing is written anew as a whole.
 */
import {
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  parseDocument,
  stringify,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';

export interface TextChange {
  readonly at: number;
  readonly until: number;
  readonly put: string;
}
export interface Blocked {
  readonly line: number;
  readonly why: string;
}
export type Placed =
  | { readonly kind: 'changes'; readonly changes: readonly TextChange[] }
  | ({ readonly kind: 'blocked' } & Blocked);

/** @param value undefined: the key is removed. */
export function changesFor(text: string, keys: readonly string[], value: unknown): Placed {
  const lines = new LineCounter();
  const root = parseDocument(text, { lineCounter: lines, merge: true }).contents;
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  const place: Place = { text, eol, lineOf: (node) => lines.linePos(startOf(node)).line };
  if (!isMap(root) || root.flow) return blocked(1, 'the file is written on one line, or is no mapping');
  let map: YAMLMap = root;
  let pair: Pair | null = null;
  let node: unknown = root;
  for (const [depth, key] of keys.entries()) {
    const rest = keys.slice(depth);
    const line = pair ? place.lineOf(pair.key) : 1;
    if (isAlias(node))
      return blocked(line, `it is an alias of another place (*${node.source}), which the change would reach too`);
    if (isSeq(node)) return blocked(line, 'it is a list: name the whole list');
    if (isMap(node)) {
      const found = pairOf(node, key);
      if (!found) return value === undefined ? changes() : changes(...added(place, node, pair, rest, value));
      [map, pair, node] = [node, found, found.value];
      continue;
    }
    if (!isScalar(node) || node.value !== null || value === undefined) return blocked(line, 'it is no mapping');
    if (node.source) return changes(replaced(node, nested(rest, value)));
    return map.flow
      ? changes({ at: afterColon(text, pair!), until: afterColon(text, pair!), put: ` ${written(nested(rest, value))}` })
      : changes(below(place, pair!, `${indentOf(text, pair!.key)}  `, rest, value));
  }
  if (value === undefined) return removed(place, map, pair!);
  if (isMap(node) && !node.flow) return blocked(place.lineOf(pair!.key), 'it has keys of its own: name one of them');
  if (isSeq(node) && !node.flow) return listed(place, pair!, node, value);
  if (!isNode(node) || node.range![0] === node.range![1])
    return changes({ at: afterColon(text, pair!), until: afterColon(text, pair!), put: ` ${written(value)}` });
  const isBlockText = isScalar(node) && (node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED');
  if (isBlockText) return blocked(place.lineOf(pair!.key), 'it is a text of several lines: write it in an editor');
  const inner = isSeq(node) && node.flow && Array.isArray(value) ? longer(node, value) : null;
  return changes(inner ?? replaced(node, value));
}

/** The text after the changes. */
export const changed = (text: string, all: readonly TextChange[]): string =>
  all
    .toSorted((a, b) => b.at - a.at)
    .reduce((before, { at, until, put }) => `${before.slice(0, at)}${put}${before.slice(until)}`, text);

interface Place {
  readonly text: string;
  readonly eol: string;
  readonly lineOf: (node: unknown) => number;
}

const changes = (...all: TextChange[]): Placed => ({ kind: 'changes', changes: all });
const blocked = (line: number, why: string): Placed => ({ kind: 'blocked', line, why });

const replaced = (node: unknown, value: unknown): TextChange => {
  const [at, until] = (node as { range: [number, number, number] }).range;
  return { at, until, put: written(value) };
};

/** A key that the mapping does not have yet: below the line of the mapping itself, or last where it is written on one line. */
function added(place: Place, map: YAMLMap, of: Pair | null, keys: readonly string[], value: unknown): TextChange[] {
  const { text, eol } = place;
  if (!of) {
    const start = text === '' || text.endsWith('\n') ? '' : eol;
    return [{ at: text.length, until: text.length, put: `${start}${blockOf(keys, value, '', eol)}${eol}` }];
  }
  const [key, ...rest] = keys;
  if (map.flow) return [asLast(map, `${written(key)}: ${written(nested(rest, value))}`, ' ')];
  return [below(place, of, indentOf(text, map.items[0]?.key), keys, value)];
}

function below({ text, eol }: Place, of: Pair, indent: string, keys: readonly string[], value: unknown): TextChange {
  const at = lineEnd(text, startOf(of.key));
  return { at, until: at, put: `${eol}${blockOf(keys, value, indent, eol)}` };
}

function blockOf([key, ...rest]: readonly string[], value: unknown, indent: string, eol: string): string {
  const head = `${indent}${written(key)}:`;
  return rest.length === 0 ? `${head} ${written(value)}` : `${head}${eol}${blockOf(rest, value, `${indent}  `, eol)}`;
}

/** A list of several lines: items that stay keep their lines. */
function listed({ text, eol, lineOf }: Place, pair: Pair, list: YAMLSeq, value: unknown): Placed {
  const from = lineEnd(text, startOf(pair.key));
  const until = lineEnd(text, endOf(list.items.at(-1)));
  const olds = list.items.map((item) => (isScalar(item) ? item.value : item));
  if (Array.isArray(value) && value.length > 0) {
    const stays = olds.map((old) => value.includes(old));
    const kept = olds.filter((_, at) => stays[at]);
    if (kept.length > 0 && kept.every((old, at) => old === value[at]) && list.items.every((item) => isScalar(item))) {
      const dash = text.slice(text.lastIndexOf('\n', startOf(list.items[0])) + 1, startOf(list.items[0]));
      const goes = list.items.filter((_, at) => !stays[at]).map((item) => wholeLine(text, startOf(item)));
      const comes = value.slice(kept.length).map((item) => `${eol}${dash}${written(item)}`);
      return changes(...goes, { at: until, until, put: comes.join('') });
    }
  }
  if (text.slice(from, until).includes('#'))
    return blocked(lineOf(pair.key), 'comments stand in this list, which would be lost: change it in an editor');
  const at = afterColon(text, pair);
  return changes({ at, until: at, put: ` ${written(value)}` }, { at: from, until, put: '' });
}

/** Items that are added to a list on one line, whose form stays; null: the list changes in another way. */
function longer(list: YAMLSeq, value: readonly unknown[]): TextChange | null {
  const olds = list.items.map((item) => (isScalar(item) ? item.value : item));
  const isLonger = value.length > olds.length && olds.every((old, at) => old === value[at]);
  return isLonger ? asLast(list, value.slice(olds.length).map(written).join(', '), '') : null;
}

function removed({ text, lineOf }: Place, map: YAMLMap, pair: Pair): Placed {
  const at = map.items.indexOf(pair);
  if (map.flow) {
    const [before, after] = [map.items[at - 1], map.items[at + 1]];
    const from = !after && before ? endOf(before.value ?? before.key) : startOf(pair.key);
    const until = after ? startOf(after.key) : endOf(pair.value ?? pair.key);
    return changes({ at: from, until, put: '' });
  }
  if (map.items.length === 1)
    return blocked(lineOf(pair.key), 'it is the only key of its section: remove the section, or give it a value');
  const { at: from } = wholeLine(text, startOf(pair.key));
  return changes({ at: from, until: wholeLine(text, endOf(pair.value ?? pair.key)).until, put: '' });
}

/** @param pad stands inside of the brackets where the collection was empty. */
function asLast({ items, range }: YAMLMap | YAMLSeq, put: string, pad: string): TextChange {
  const last: unknown = items.at(-1);
  const node = isNode(last) ? last : ((last as Pair | undefined)?.value ?? (last as Pair | undefined)?.key);
  const at = isNode(node) ? node.range![1] : range![0] + 1;
  return { at, until: at, put: isNode(node) ? `, ${put}` : `${pad}${put}${pad}` };
}

/** On one line, with quotes where they are needed. */
const written = (value: unknown): string =>
  stringify([value], { collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: false }).trim().slice(1, -1);

const nested = (keys: readonly string[], value: unknown): unknown => keys.reduceRight((inner, key) => ({ [key]: inner }), value);

export const pairOf = ({ items }: YAMLMap, key: string): Pair | undefined =>
  items.find((pair) => isScalar(pair.key) && String(pair.key.value) === key);
const startOf = (node: unknown): number => (isNode(node) ? node.range![0] : 0);
/** The end of what is written of a node, without comments and empty lines behind it. */
function endOf(node: unknown): number {
  const last: unknown = isMap(node) && !node.flow ? node.items.at(-1) : isSeq(node) && !node.flow ? node.items.at(-1) : null;
  if (isNode(last)) return endOf(last);
  if (last) return endOf((last as Pair).value ?? (last as Pair).key);
  return isNode(node) ? node.range![1] : 0;
}
const indentOf = (text: string, node: unknown): string =>
  text.slice(text.lastIndexOf('\n', startOf(node) - 1) + 1, startOf(node));
const afterColon = (text: string, { key }: Pair): number => text.indexOf(':', endOf(key)) + 1;
/** The end of the line, before its line break. */
function lineEnd(text: string, from: number): number {
  const at = text.indexOf('\n', from);
  if (at < 0) return text.length;
  return text[at - 1] === '\r' ? at - 1 : at;
}
/** The line with its line break. */
function wholeLine(text: string, from: number): TextChange {
  const end = text.indexOf('\n', from);
  return { at: text.lastIndexOf('\n', from - 1) + 1, until: end < 0 ? text.length : end + 1, put: '' };
}
