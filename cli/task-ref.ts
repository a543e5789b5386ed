/**
 * Resolves an operator's name for a task: `k3xq.4` in full, `k3xq` or an unambiguous prefix (`k3`) for a goal, `k3.4` for its 4th
 * sub-task, `.4` for the 4th sub-task of the goal that was used last.
 */
import { isTaskId, rootOf, type TaskId } from '../bus/task-id.ts';
import { CoxError } from '../platform/errors.ts';
import { unknownTask, usageError } from './errors.ts';
import { exitCodes } from './exit-codes.ts';

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
  throw new CoxError('ambiguous-task', `"${ref}" may be ${matches.map((match) => `${match}.${path}`).join(' or ')}.`, {
    hint: 'Type one more letter.',
    exitCode: exitCodes.unknownTask,
  });
}
