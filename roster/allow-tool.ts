/**
 * Adds a tool to `tools.allowed` in the text of a roster. Only the place of the change is written, so that comments and the form of
 * everything else stay as they are.
 */
import { isDeepStrictEqual } from 'node:util';
import { isMap, isNode, isScalar, isSeq, type Pair, parseDocument, type YAMLMap, type YAMLSeq } from 'yaml';
import { parseRoster } from './load.ts';
import type { Roster } from './schema.ts';

export interface ChangedRoster {
  readonly text: string;
  /** The changed line, counted from 1, and what it says now. */
  readonly line: number;
  readonly says: string;
}

interface Insertion {
  readonly at: number;
  readonly put: string;
}

/**
 * @param file path of the roster, from which relative paths in it start.
 * @returns null if the place of the change cannot be found, or if the change would have another effect, for example because of an
 * alias.
 * @throws RosterError `roster-invalid`.
 */
export function withAllowed(text: string, tool: string, file: string): ChangedRoster | null {
  const before = parseRoster(text, file);
  const found = insertionFor(text, tool);
  if (!found) return null;
  const { at, put } = found;
  const changed = `${text.slice(0, at)}${put}${text.slice(at)}`;
  const { allowed, gated } = before.tools;
  const tools = { allowed: [...allowed, tool], gated: gated.filter((name) => name !== tool) };
  if (!isDeepStrictEqual(rosterIn(changed, file), { ...before, tools })) return null;
  const line = changed.slice(0, at + put.lastIndexOf(tool)).split('\n').length;
  return { text: changed, line, says: changed.split('\n')[line - 1]!.trim() };
}

function rosterIn(text: string, file: string): Roster | null {
  try {
    return parseRoster(text, file);
  } catch {
    return null;
  }
}

function insertionFor(text: string, tool: string): Insertion | null {
  const root = parseDocument(text).contents;
  if (!isMap(root) || root.flow) return null;
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  const section = pairOf(root, 'tools');
  if (!section) return { at: text.length, put: `${text.endsWith('\n') ? '' : eol}tools:${eol}  allowed: [${tool}]${eol}` };
  const tools = section.value;
  if (!isMap(tools)) return null;
  const allowed = pairOf(tools, 'allowed');
  if (allowed) return isSeq(allowed.value) ? intoList(text, allowed.value, tool, eol) : null;
  if (tools.flow) return asLast(tools, `allowed: [${tool}]`, ' ');
  const start = startOf(tools.items[0]?.key);
  const indent = text.slice(text.lastIndexOf('\n', start) + 1, start);
  return { at: lineEnd(text, startOf(section.key)), put: `${eol}${indent}allowed: [${tool}]` };
}

function intoList(text: string, list: YAMLSeq, tool: string, eol: string): Insertion | null {
  if (list.flow) return asLast(list, tool, '');
  const start = startOf(list.items.at(-1));
  const dash = text.slice(text.lastIndexOf('\n', start) + 1, start);
  return { at: lineEnd(text, start), put: `${eol}${dash}${tool}` };
}

/** @param pad stands inside of the brackets where the collection was empty. */
function asLast({ items, range }: YAMLMap | YAMLSeq, put: string, pad: string): Insertion {
  const last: unknown = items.at(-1);
  const node = isNode(last) ? last : (last as Pair | undefined)?.value;
  return isNode(node) ? { at: node.range![1], put: `, ${put}` } : { at: range![0] + 1, put: `${pad}${put}${pad}` };
}

const pairOf = ({ items }: YAMLMap, key: string): Pair | undefined =>
  items.find((pair) => isScalar(pair.key) && pair.key.value === key);
const startOf = (node: unknown): number => (isNode(node) ? node.range![0] : 0);
/** The end of the line, before its line break. */
function lineEnd(text: string, from: number): number {
  const at = text.indexOf('\n', from);
  if (at < 0) return text.length;
  return text[at - 1] === '\r' ? at - 1 : at;
}
