/** The list of tasks: which of them a query means, and a page of these in the order of their creation. */
import { z } from 'zod';
import { TaskState } from '../messages.ts';
import { type Page, PageQuery, pageInTime } from '../page.ts';
import { Root, rootOf } from '../task-id.ts';
import type { TaskSummary } from './tree.ts';

/** The filter by the state of a task: a state, an outcome in place of `done`, or `unfinished` for every state before that. */
export const ListedState = z.enum([...TaskState.options, 'completed', 'failed', 'cancelled', 'unfinished']);
export type ListedState = z.infer<typeof ListedState>;

export const TaskQuery = PageQuery.extend({
  state: z
    .array(ListedState)
    .min(1)
    .max(ListedState.options.length)
    .optional()
    .describe('Only tasks in one of these. `done` means every task that has ended, `unfinished` every other.'),
  type: z.string().min(1).max(64).optional().describe('Only tasks of this type.'),
  root: Root.optional().describe('Only tasks of this tree: the part of their ids before the dot.'),
  goals: z.literal(true).optional().describe('Only tasks without a parent.'),
  since: z.iso.datetime().optional().describe('Only tasks that were created then or later.'),
});
export type TaskQuery = z.infer<typeof TaskQuery>;

export const tasksThatFit = (tasks: readonly TaskSummary[], { state, type, root, goals, since }: TaskQuery): TaskSummary[] =>
  tasks.filter(
    (task) =>
      (state === undefined || state.some((listed) => isIn(task, listed))) &&
      (type === undefined || task.type === type) &&
      (root === undefined || rootOf(task.id) === root) &&
      (!goals || task.parent === null) &&
      (since === undefined || Date.parse(task.createdAt) >= Date.parse(since)),
  );

function isIn({ state, outcome }: TaskSummary, listed: ListedState): boolean {
  if (listed === 'unfinished') return outcome === null;
  if (listed === 'done') return outcome !== null;
  return listed === (outcome ?? state);
}

/** @throws CoxError `bad-cursor`. */
export const taskPage = (tasks: readonly TaskSummary[], query: TaskQuery, maxBytes?: number): Page<TaskSummary> =>
  pageInTime(tasksThatFit(tasks, query), query, {
    placeOf: ({ createdAt, id }) => ({ at: createdAt, id }),
    rowOf: (task) => task,
    maxBytes,
  });
