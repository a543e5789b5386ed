/** Describes tasks in words, for the primary agent and its operator. */

import type { Question, Status } from '../../bus/messages.ts';
import type { TaskSummary } from '../../bus/state/tree.ts';
import { beginningOf } from '../../platform/cut.ts';

export const isOpen = ({ outcome }: Pick<TaskSummary, 'outcome'>): boolean => outcome === null;

/** How many of the goals that ended last get a line. */
const endedShown = 3;

/**
 * A line for each unfinished task, those with a question first, and for the goals that ended last.
 * @returns null if there are no such tasks.
 */
export function taskLines(tasks: readonly TaskSummary[], maxLines: number): string | null {
  const open = tasks.filter(isOpen);
  const ended = tasks.filter((task) => !isOpen(task) && task.parent === null);
  const first = [
    ...open.filter(({ question }) => question),
    ...open.filter(({ question, parent }) => !question && parent === null),
  ];
  const rows = [...first, ...open.filter((task) => !first.includes(task))];
  const shown = rows.slice(0, maxLines).map(lineOf);
  const last = ended
    .toSorted((a, b) => (a.updatedAt < b.updatedAt ? 1 : -1))
    .slice(0, endedShown)
    .map(lineOf);
  const left = rows.length - shown.length;
  const lines = [...shown, ...(left > 0 ? [`(${left} more)`] : []), ...last];
  return lines.length > 0 ? lines.join('\n') : null;
}

const lineOf = ({ id, type, state, step, outcome, question, instruction }: TaskSummary): string => {
  const doing = outcome ?? `${stateWords[state]}${step > 0 ? `, step ${step}` : ''}`;
  return `- ${id} (${type}) ${doing}: ${oneLine(instruction, 80)}${question ? ` | ${questionWords(question)}` : ''}`;
};

/** One task's status in a sentence or two. */
export function inWords({ id, type, state, step, doing, backend, outcome, question, paused, subTasks, note }: Status): string {
  if (outcome) return `${id} (${type}) has ended: ${outcome}, after ${step} steps.`;
  const parts = [
    `${id} (${type}) ${stateWords[state]}${paused ? ' (paused)' : ''}, step ${step}${backend ? `, on ${backend}` : ''}.`,
    ...(doing ? [`Doing: ${oneLine(doing, 200)}.`] : []),
    ...(subTasks ? [`Sub-tasks: ${countWords(subTasks)}.`] : []),
    ...(question ? [`It waits: ${questionWords(question)}`] : []),
    ...(note ? [`Note: ${oneLine(note, 200)}.`] : []),
  ];
  return parts.join(' ');
}

const questionWords = ({ id, text, choices }: Question): string =>
  `question ${id}: "${oneLine(text, 200)}"${choices?.length ? ` (${choices.join(' / ')})` : ''}`;

const countWords = (count: NonNullable<Status['subTasks']>): string =>
  Object.entries(count)
    .filter(([, n]) => n > 0)
    .map(([status, n]) => `${n} ${status}`)
    .join(', ') || 'none yet';

const stateWords: Record<Status['state'], string> = {
  idle: 'waits for a worker',
  thinking: 'is thinking',
  acting: 'is using a tool',
  decomposing: 'is being planned',
  gathering: 'waits for its sub-tasks',
  reducing: 'is putting the results together',
  'awaiting-steer': 'waits for the operator',
  done: 'is done',
};

export const oneLine = (text: string, maxChars: number): string => {
  const flat = text.replaceAll(/\s+/g, ' ').trim();
  return flat.length > maxChars ? `${beginningOf(flat, maxChars - 1)}…` : flat;
};
