/** Lets an operator name a sub-task by its id where a change of a plan needs its key. */
import type { Crew } from '../bus/crew.ts';
import type { SteeringInput, TreeNode } from '../bus/messages.ts';
import { isTaskId, rootOf, type TaskId } from '../bus/task-id.ts';
import { usageError } from './errors.ts';

/**
 * The message with each id of a sub-task replaced by its key. A word that is a key stays one.
 * @throws CoxError `usage` if an id is not that of a sub-task in the plan of this goal.
 */
export async function withPlanKeys(crew: Crew, goal: TaskId, message: SteeringInput): Promise<SteeringInput> {
  const words = wordsOf(message);
  // Only ids have a dot; most keys have none.
  if (!words.some((word) => word.includes('.'))) return message;
  const rows = (await crew.tree(goal)).filter(({ parent }) => parent === goal);
  const keyOf = (word: string) => keyNamed(word, goal, rows);
  if (message.type === 'add') return { ...message, task: { ...message.task, after: (message.task.after ?? []).map(keyOf) } };
  return message.type === 'drop' || message.type === 'rerun' ? { ...message, key: keyOf(message.key) } : message;
}

function wordsOf(message: SteeringInput): readonly string[] {
  if (message.type === 'add') return message.task.after ?? [];
  return message.type === 'drop' || message.type === 'rerun' ? [message.key] : [];
}

function keyNamed(word: string, goal: TaskId, rows: readonly TreeNode[]): string {
  if (rows.some(({ key }) => key === word)) return word;
  const id = word.startsWith('.') ? `${rootOf(goal)}${word}` : word;
  const row = rows.find((each) => each.id !== null && isNamedBy(id, each.id));
  if (row?.key) return row.key;
  if (!row && !isTaskId(id)) return word;
  const named = rows.flatMap((each) => (each.key === null ? [] : [each.id === null ? each.key : `${each.key} (${each.id})`]));
  throw usageError(
    row ? `${row.id} is an earlier attempt, which the plan of ${goal} no longer names.` : `${id} is no sub-task of ${goal}.`,
    `Its plan has ${named.slice(0, mostNamed).join(', ')}${named.length > mostNamed ? ` and ${named.length - mostNamed} more` : ''}.`,
  );
}

const mostNamed = 8;

/** `k3xq.4`, or with a shortened root `k3.4`. */
const isNamedBy = (word: string, id: TaskId): boolean => {
  const dot = word.indexOf('.');
  return dot > 0 && rootOf(id).startsWith(word.slice(0, dot)) && id.slice(id.indexOf('.')) === word.slice(dot);
};
