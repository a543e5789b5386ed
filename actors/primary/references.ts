/** Finds the task that an operator's words point at: an id, an ordinal, a kind, or words of the instruction. Pure. */

import type { TaskSummary } from '../../bus/state/tree.ts';
import { withoutTail } from '../../platform/trim.ts';
import { alike, pointerOf, tokensOf } from './words.ts';

export type Named = Pick<TaskSummary, 'id' | 'parent' | 'type' | 'instruction' | 'outcome' | 'createdAt'>;

export type Found =
  | { readonly kind: 'one'; readonly task: Named }
  /** All unfinished tasks that are below no other. */
  | { readonly kind: 'all'; readonly tasks: readonly Named[] }
  /** These may be meant. A single one fits only in part, so it is asked about too. */
  | { readonly kind: 'unsure'; readonly tasks: readonly Named[] }
  | { readonly kind: 'none' };

const none: Found = { kind: 'none' };
const mostAsked = 6;

/**
 * @param tasks all tasks, oldest first.
 * @param wants `open`: only unfinished tasks are meant. `any`: also those that have ended.
 */
export function findTask(ref: string, tasks: readonly Named[], wants: 'open' | 'any'): Found {
  const byId = idsIn(ref, tasks);
  if (byId) return byId;
  const pool = wants === 'open' ? tasks.filter(({ outcome }) => outcome === null) : tasks;
  const pointer = pointerOf(ref);
  const roots = pool.filter(isTop(pool));
  if (pointer.all && pointer.words.length === 0)
    return { kind: 'all', tasks: pool.filter((task) => isOpen(task) && isTop(pool)(task)) };
  if (pointer.ordinal !== null) return byOrdinal(pointer.ordinal, pointer.level, pointer.words, pool, roots);
  if (pointer.isVague) {
    const likely = roots.filter(isOpen).length > 0 ? roots.filter(isOpen) : roots.slice(-1);
    return oneOf(likely);
  }
  return byWords(pointer.words, pool);
}

const isOpen = ({ outcome }: Named): boolean => outcome === null;
const isTop =
  (pool: readonly Named[]) =>
  ({ parent }: Named): boolean =>
    !pool.some(({ id }) => id === parent);

const oneOf = (tasks: readonly Named[]): Found =>
  tasks.length === 0
    ? none
    : tasks.length === 1
      ? { kind: 'one', task: tasks[0]! }
      : { kind: 'unsure', tasks: tasks.slice(0, mostAsked) };

/** A whole id, or the beginning of one that has a digit or a dot in it. */
function idsIn(ref: string, tasks: readonly Named[]): Found | null {
  const given = ref
    .toLowerCase()
    .split(/[^a-z0-9.-]+/)
    .map((token) => withoutTail(token, '.-'));
  const exact = tasks.filter(({ id }) => given.includes(id));
  if (exact.length > 0) return oneOf(exact);
  const roots = tasks.filter(({ id, parent }) => parent === null && given.includes(id.split('.')[0]!));
  if (roots.length > 0) return oneOf(roots);
  // Something that looks like an id and is none must not be taken for a word.
  return given.some((token) => /^[a-z0-9]{2,}\.\d+(?:-\d+)*$/.test(token)) ? none : null;
}

function byOrdinal(
  ordinal: number,
  level: 'goal' | 'sub-task' | null,
  words: readonly string[],
  pool: readonly Named[],
  roots: readonly Named[],
): Found {
  const open = roots.filter(isOpen);
  const goals = open.length > 1 ? open : level === 'goal' || words.length > 0 ? roots : [];
  const newest = (open.length > 0 ? open : roots).at(-1);
  const parts = newest ? pool.filter(({ parent }) => parent === newest.id).toSorted(byNumber) : [];
  const lists = [level === 'sub-task' ? [] : goals, level === 'goal' ? [] : parts];
  const fitting = lists
    .map((list) => list.filter((task) => words.every((word) => fits(word, task))))
    .filter((list) => list.length > 1);
  const meant = fitting.flatMap((list) => list.at(ordinal < 0 ? -1 : ordinal - 1) ?? []);
  if (meant.length > 0) return oneOf(meant);
  // One task is the first and the last of its kind.
  const only = ordinal === 1 || ordinal === -1 ? (newest ? [newest] : []) : [];
  return only.length === 1 && words.every((word) => fits(word, only[0]!)) ? oneOf(only) : none;
}

const byNumber = (a: Named, b: Named): number => a.id.localeCompare(b.id, 'en', { numeric: true });

function byWords(words: readonly string[], pool: readonly Named[]): Found {
  const scored = pool.map((task) => ({ task, hits: words.filter((word) => fits(word, task)).length }));
  const full = withoutParts(scored.filter(({ hits }) => hits === words.length).map(({ task }) => task));
  if (full.length > 0) {
    const open = full.filter(isOpen);
    return oneOf(open.length > 0 ? open : full);
  }
  const most = Math.max(0, ...scored.map(({ hits }) => hits));
  if (most === 0) return none;
  const part = withoutParts(scored.filter(({ hits }) => hits === most).map(({ task }) => task));
  return { kind: 'unsure', tasks: part.slice(0, mostAsked) };
}

/** A goal stands for its sub-tasks where both fit: their instructions repeat its words. */
const withoutParts = (tasks: readonly Named[]): Named[] => tasks.filter(({ parent }) => !tasks.some(({ id }) => id === parent));

const fits = (word: string, { type, instruction }: Named): boolean =>
  alike(word, type) ||
  tokensOf(instruction).some((token) => alike(word, token) || token.split(/[.'_-]/).some((part) => alike(word, part)));
