/**
 * Resolves an operator's name for a task: `k3xq.4` in full, `k3xq` or an unambiguous prefix (`k3`) for a goal, `k3.4` for its 4th
 * sub-task, `.4` for the 4th sub-task of the goal that was used last. A sub-task is also named by its key in the plan: `k3/report`,
 * or `report` alone where that can be no other task.
 */
import { goalOf, isTaskId, rootOf, type TaskId } from '../bus/task-id.ts';
import { CoxError } from '../platform/errors.ts';
import { nearest } from '../platform/nearest.ts';
import { someOf, unknownTask, usageError } from './errors.ts';
import { exitCodes } from './exit-codes.ts';

/** The part of a task that decides what its names are. */
export interface Nameable {
  readonly id: TaskId;
  readonly parent: TaskId | null;
  readonly key: string | null;
  readonly outcome: string | null;
}

/** @throws CoxError `unknown-task`, `ambiguous-task`, `usage`. */
export function resolveName(ref: string, tasks: readonly Nameable[], lastGoal: TaskId | null): TaskId {
  const slash = ref.lastIndexOf('/');
  const known = tasks.map(({ id }) => id);
  if (slash >= 0) {
    const parent = slash === 0 ? lastGoal : resolveName(ref.slice(0, slash), tasks, lastGoal);
    if (!parent) throw usageError(`"${ref}" names a sub-task without its goal.`, `Name the goal too, as in k3xq${ref}.`);
    return childWith(ref.slice(slash + 1), parent, tasks);
  }
  const keyed = withKey(ref, tasks, lastGoal);
  if (keyed.length === 0) return resolveTask(ref, known, lastGoal);
  // A key is chosen by a model, and may be how an id begins: then only the operator knows what is meant.
  const goals = known.filter((id) => id === goalOf(id) && rootOf(id).startsWith(ref));
  const exact = goals.find((id) => rootOf(id) === ref);
  if (exact) return exact;
  if (keyed.length === 1 && goals.length === 0) return keyed[0]!.id;
  const names = [...goals, ...keyed.map(({ id, key }) => `${id} (${key})`)];
  throw new CoxError('ambiguous-task', `"${ref}" may be ${someOf(names)}.`, {
    hint: 'Name it by its id.',
    exitCode: exitCodes.unknownTask,
  });
}

const mostNamed = 8;

/** The tasks with this key in the goal that was used last, if it has one, else the unfinished ones, else all. */
function withKey(key: string, tasks: readonly Nameable[], lastGoal: TaskId | null): readonly Nameable[] {
  const all = tasks.filter((task) => task.key === key);
  const last = all.filter(({ id }) => goalOf(id) === lastGoal);
  const open = all.filter(({ outcome }) => outcome === null);
  return [last, open].find(({ length }) => length > 0) ?? all;
}

function childWith(key: string, parent: TaskId, tasks: readonly Nameable[]): TaskId {
  const children = tasks.filter((task) => task.parent === parent && task.key !== null);
  const child = children.find((task) => task.key === key);
  if (child) return child.id;
  // A hint names no key that could be a sentence: a stranger's record may have one.
  const keys = children.map((task) => task.key!).filter((each) => /^[\w.-]{1,64}$/.test(each));
  const near = nearest(key, keys);
  throw new CoxError('unknown-task', `${parent} has no sub-task ${key}, or has not started it.`, {
    hint: `It has ${(near.length > 0 ? near : keys).slice(0, mostNamed).join(', ') || 'none yet'}; cox tree ${parent} shows all.`,
    exitCode: exitCodes.unknownTask,
  });
}

export function resolveTask(ref: string, known: readonly TaskId[], lastGoal: TaskId | null): TaskId {
  if (isTaskId(ref)) return ref;
  const dot = ref.indexOf('.');
  const root = dot < 0 ? ref : ref.slice(0, dot);
  const path = dot < 0 ? '0' : ref.slice(dot + 1);
  const full = (r: string): TaskId => {
    const id = `${r}.${path}`;
    if (!isTaskId(id))
      throw usageError(`"${ref}" is not a task id.`, 'A task id looks like k3xq.0 or k3xq.4-1; "cox status" lists them.');
    return id;
  };
  if (root === '') {
    if (!lastGoal)
      throw usageError(
        `"${ref}" names a sub-task without its goal.`,
        `Name the goal too, as in k3xq${ref}; "cox status" lists the goals.`,
      );
    return full(rootOf(lastGoal));
  }
  const roots = [...new Set(known.map(rootOf))];
  if (roots.includes(root)) return full(root);
  const matches = roots.filter((candidate) => candidate.startsWith(root));
  if (matches.length === 1) return full(matches[0]!);
  if (matches.length === 0) throw unknownTask(ref, known);
  throw new CoxError('ambiguous-task', `"${ref}" may be ${someOf(matches.map((match) => `${match}.${path}`))}.`, {
    hint: 'Type one more letter.',
    exitCode: exitCodes.unknownTask,
  });
}
