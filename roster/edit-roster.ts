/**
 * Changes values in the text of a roster, checked before anybody writes it (docs/adr/0046). A change that would have another effect
 * than the one that was asked for, for example because of an alias, is refused.
 */
import { isDeepStrictEqual } from 'node:util';
import { isMap, parse, parseDocument } from 'yaml';
import { type Blocked, changed, changesFor, pairOf } from './edit-text.ts';
import { RosterError } from './errors.ts';
import { parseRoster } from './load.ts';
import type { Roster } from './schema.ts';

export interface RosterEdit {
  /** As in `backends.local.opt_in`. A part with a dot is a name of the file, or stands in quotes. */
  readonly path: string;
  /** undefined: the key is removed, so that its default holds. */
  readonly value: unknown;
}

export interface EditedRoster {
  readonly text: string;
  readonly roster: Roster;
}

/**
 * Reads `<path>=<value>`. The value is YAML; nothing behind the sign removes the key.
 * @throws RosterError `roster-edit`.
 */
export function readEdit(text: string): RosterEdit {
  const at = /^(?:"[^"]*"|[^="])+=/.exec(text)?.[0].length ?? 0;
  const path = text.slice(0, Math.max(0, at - 1)).trim();
  const given = text.slice(at).trim();
  if (at === 0 || path === '')
    throw editError('An edit is <path>=<value>', 'As in: cox roster edit backends.local.concurrency=2 "reducer=concat".');
  if (given === '') return { path, value: undefined };
  try {
    return { path, value: parse(given) };
  } catch (cause) {
    throw editError(
      `The value of ${path} is no YAML`,
      'Write it as in a roster: true, 4, a word, [a, b]; with quotes of the shell around it.',
      cause,
    );
  }
}

/**
 * @param file path of the roster, from which relative paths in it start.
 * @throws RosterError `roster-invalid` if the result is no roster (lines are those of the result), or the file no YAML;
 * `roster-edit` if it cannot be changed there.
 */
export function withEdits(text: string, file: string, edits: readonly RosterEdit[]): EditedRoster {
  let current = text;
  for (const { path, value } of edits) {
    const before = jsonOf(current, file);
    const keys = keysOf(current, path);
    const placed = changesFor(current, keys, value);
    if (placed.kind === 'blocked') throw refused(file, path, placed);
    const next = changed(current, placed.changes);
    if (!isDeepStrictEqual(readOrNull(next), wanted(before, keys, value)))
      throw refused(file, path, {
        line: lineOf(current, keys),
        why: 'a change there would reach other places too, as with an anchor or an alias: change it in an editor',
      });
    current = next;
  }
  try {
    return { text: current, roster: parseRoster(current, file) };
  } catch (cause) {
    if (!(cause instanceof RosterError)) throw cause;
    throw new RosterError(cause.code, file, cause.message, cause.problems, {
      hint: 'Nothing was changed. Lines are those of the file as it would be; docs/roster.md describes every key.',
      cause,
    });
  }
}

const editError = (message: string, hint: string, cause?: unknown) =>
  new RosterError('roster-edit', '', message, [], { hint, cause });
function refused(file: string, path: string, { line, why }: Blocked): RosterError {
  return new RosterError('roster-edit', file, `${file}:${line}: ${path}: ${why}`, [{ line, column: 1, path, message: why }], {
    hint: 'Nothing was changed.',
  });
}

/** The parts of a path. A name with dots that the file has counts as one part. */
function keysOf(text: string, path: string): string[] {
  const parts = [...path.matchAll(/"([^"]*)"|([^."]+)/g)].map((found) => found[1] ?? found[2]!.trim());
  const keys: string[] = [];
  let node: unknown = parseDocument(text, { merge: true }).contents;
  for (let at = 0; at < parts.length; ) {
    let length = 1;
    for (let long = parts.length - at; long > 1 && isMap(node); long--)
      if (pairOf(node, parts.slice(at, at + long).join('.'))) {
        length = long;
        break;
      }
    const key = parts.slice(at, at + length).join('.');
    if (key === '__proto__' || key === '')
      throw editError(`${path} is no path of a roster`, 'As in: cox roster edit backends.local.concurrency=2.');
    keys.push(key);
    node = isMap(node) ? pairOf(node, key)?.value : undefined;
    at += length;
  }
  if (keys.length === 0) throw editError('An edit needs a path', 'As in: cox roster edit backends.local.concurrency=2.');
  return keys;
}

type Tree = { [key: string]: unknown };

/** @throws RosterError `roster-invalid` if the file is no YAML. */
function jsonOf(text: string, file: string): unknown {
  const value = readOrNull(text);
  // The check of the roster says where the fault is.
  if (value === null && text.trim() !== '') parseRoster(text, file);
  return value;
}

/** The value of the file as plain JSON, in which no two places are the same object. */
function readOrNull(text: string): unknown {
  try {
    const doc = parseDocument(text, { merge: true });
    return doc.errors.length > 0 ? null : JSON.parse(JSON.stringify(doc.toJS() ?? null));
  } catch {
    return null;
  }
}

function wanted(before: unknown, [key, ...rest]: readonly string[], value: unknown): unknown {
  if (key === undefined) return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
  const tree: Tree = { ...(before as Tree | null) };
  if (rest.length > 0 && value === undefined && !Object.hasOwn(tree, key)) return before;
  const inner = wanted(Object.hasOwn(tree, key) ? tree[key] : null, rest, value);
  if (inner === undefined) delete tree[key];
  else tree[key] = inner;
  return tree;
}

function lineOf(text: string, keys: readonly string[]): number {
  let node: unknown = parseDocument(text, { merge: true }).contents;
  let offset = 0;
  for (const key of keys) {
    const pair = isMap(node) ? pairOf(node, key) : undefined;
    if (!pair) break;
    offset = (pair.key as { range?: [number, number, number] }).range?.[0] ?? offset;
    node = pair.value;
  }
  return text.slice(0, offset).split('\n').length;
}
