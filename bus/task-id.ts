/**
 * A task id is `<root>.<path>`: `k3xq.0` is a goal, `k3xq.4` its 4th sub-task, `k3xq.4-1` the first that 4 spawned. Two NATS
 * tokens, so that one wildcard names a whole tree. See "Names" in docs/architecture.md.
 */
import { z } from 'zod';

const pattern = /^[a-z0-9]{4,12}\.(0|[1-9][0-9]{0,5}(-[1-9][0-9]{0,5}){0,7})$/;

/** `k3xq.0`, `k3xq.4`, `k3xq.4-1`: lower case, at most 8 levels below the goal. */
export const TaskId = z.string().regex(pattern, 'a task id looks like k3xq.0 or k3xq.4-1');
export type TaskId = z.infer<typeof TaskId>;

/** `k3xq`: the part of a task id that all tasks of a tree have in common. */
export const Root = z
  .string()
  .regex(/^[a-z0-9]{4,12}$/, 'the root of a tree is the part of its ids before the dot, such as k3xq');

export const isTaskId = (text: string): boolean => pattern.test(text);
export const rootOf = (id: TaskId): string => id.slice(0, id.indexOf('.'));
const pathOf = (id: TaskId): string => id.slice(id.indexOf('.') + 1);
export const goalOf = (id: TaskId): TaskId => `${rootOf(id)}.0`;

/** The `n`th (from 1) child of a task. */
export const childOf = (parent: TaskId, n: number): TaskId =>
  pathOf(parent) === '0' ? `${rootOf(parent)}.${n}` : `${parent}-${n}`;

/** @returns null for a goal, which has no parent. */
export function parentOf(id: TaskId): TaskId | null {
  const path = pathOf(id);
  if (path === '0') return null;
  const cut = path.lastIndexOf('-');
  return cut < 0 ? goalOf(id) : `${rootOf(id)}.${path.slice(0, cut)}`;
}

/** The number of a task among the children of its parent: 4 for `k3xq.4`, 1 for `k3xq.4-1`; 0 for a goal. */
export const ordinalOf = (id: TaskId): number => Number(pathOf(id).split('-').at(-1));

/** A random root of 6 characters (about 1 billion values). If it is taken, the creation of the state record fails. */
export function newRoot(random: (bytes: Uint8Array) => Uint8Array): string {
  const alphabet = 'abcdefghijkmnpqrstuvwxyz23456789';
  return Array.from(random(new Uint8Array(6)), (byte) => alphabet[byte % alphabet.length]).join('');
}

/** Whether a task is `above` or below it. Everything in its tree is below a goal. */
export const isWithin = (id: TaskId, above: TaskId): boolean =>
  id === above || (above === goalOf(above) ? rootOf(id) === rootOf(above) : id.startsWith(`${above}-`));
