/** Finds the position of a value in a YAML text, so that an error can point at it. */
import { type Document, isAlias, isMap, isNode, isScalar, isSeq, type LineCounter, type Node } from 'yaml';

export interface Position {
  readonly line: number;
  readonly column: number;
}

/** The position of the node at `path`, or of its deepest existing ancestor: a missing key is reported where it should be. */
export function positionOf(doc: Document, lines: LineCounter, path: readonly PropertyKey[], unknownKey?: string): Position {
  let offset = doc.contents?.range?.[0] ?? 0;
  let node: unknown = doc.contents;
  for (const key of path) {
    const next = step(doc, node, key);
    if (!next) return at(lines, offset);
    offset = next.offset;
    node = next.node;
  }
  const unknown = unknownKey === undefined ? null : step(doc, node, unknownKey);
  return at(lines, unknown?.keyOffset ?? offset);
}

interface Step {
  readonly node: Node | null;
  /** Start of the value, or of the key if the value is a block on lines of its own. */
  readonly offset: number;
  readonly keyOffset: number;
}

function step(doc: Document, from: unknown, key: PropertyKey): Step | null {
  const node = isAlias(from) ? from.resolve(doc) : from;
  if (isSeq(node)) {
    const item = node.items[Number(key)];
    if (!isNode(item)) return null;
    const offset = item.range?.[0] ?? 0;
    return { node: item, offset, keyOffset: offset };
  }
  if (!isMap(node)) return null;
  const pair = node.items.find((it) => isScalar(it.key) && String(it.key.value) === String(key));
  if (!pair || !isScalar(pair.key)) return null;
  const keyOffset = pair.key.range?.[0] ?? 0;
  const value = isNode(pair.value) ? pair.value : null;
  const isBlock = value === null || isMap(value) || isSeq(value);
  return { node: value, offset: isBlock ? keyOffset : (value.range?.[0] ?? keyOffset), keyOffset };
}

function at(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line, column: col };
}
