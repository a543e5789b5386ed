/** The state of tasks as text for people: one line each in lists, a few lines for a single task. */
import type { Status } from '../../bus/messages.ts';
import type { TaskSummary } from '../../bus/state/tree.ts';
import { rootOf } from '../../bus/task-id.ts';
import { effectTexts } from './effects.ts';
import { usageText } from './figures.ts';
import type { Paint } from './paint.ts';
import { oneLine } from './printable.ts';
import { questionLines } from './question.ts';
import { receiptLine } from './receipt.ts';
import { timeAndAge } from './times.ts';

/** Most effects below a status. */
const mostEffects = 5;

type Known = Pick<Status, 'state' | 'outcome'>;

export const stateText = ({ state, outcome }: Known, paint: Paint): string => {
  if (outcome !== null) return { completed: paint.green, failed: paint.red, cancelled: paint.yellow }[outcome](outcome);
  return state === 'awaiting-steer' ? paint.yellow(state) : paint.cyan(oneLine(state));
};

/** The current activity of a task in one line, without its id. @param asking number of tasks below it that ask their operator. */
export function statusLine(status: Status, paint: Paint, asking = 0): string {
  const parts = [
    stateText(status, paint) + (status.paused ? paint.yellow(' (paused)') : ''),
    status.doing && status.outcome === null ? oneLine(status.doing, 60) : '',
    status.step > 0 ? `step ${status.step}` : '',
    status.backend ? `on ${oneLine(status.backend)}` : '',
    status.subTasks && status.outcome === null ? subTasksText(status.subTasks) : '',
    asking > 0 && status.outcome === null ? paint.yellow(asking === 1 ? '1 waits for you' : `${asking} wait for you`) : '',
    usageText(status.usage),
  ];
  return parts.filter((part) => part !== '').join(paint.dim(' · '));
}

export function statusReport(status: Status, now: Date, paint: Paint, answerWith = 'cox answer', asking = 0): string[] {
  const at = (label: string, time: string | undefined) => (time ? [paint.dim(`    ${label} ${timeAndAge(time, now)}`)] : []);
  return [
    `${paint.bold(oneLine(status.id))} ${oneLine(status.type)} ${statusLine(status, paint, asking)}`,
    ...(status.note ? [`    ${oneLine(status.note, 400)}`] : []),
    ...(status.question && status.outcome === null ? questionLines(status.id, status.question, paint, answerWith) : []),
    ...status.receipts.map((receipt) => `    ${receiptLine(status.id, receipt, paint)}`),
    ...effectTexts(status, paint, mostEffects).map((text) => `    ${text}`),
    ...(status.subTasks ? [`    sub-tasks: ${subTasksText(status.subTasks)}`] : []),
    ...at('last change', status.lastTransitionAt ?? status.at),
    ...at('last token ', status.lastTokenAt),
    ...at('last tool  ', status.lastToolAt),
  ];
}

const subTasksText = (counts: NonNullable<Status['subTasks']>): string =>
  Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([status, count]) => `${count} ${status}`)
    .join(', ') || 'none yet';

/** One line for each task, with ids and types in columns. The tasks of a tree stay together, in the order of their numbers. */
export function summaryLines(tasks: readonly TaskSummary[], paint: Paint): string[] {
  const width = Math.max(0, ...tasks.map((task) => task.id.length));
  const types = Math.max(0, ...tasks.map((task) => oneLine(task.type).length));
  return inTrees(tasks).map((task) => {
    const question =
      task.question && task.outcome === null
        ? ` ${paint.yellow(`asks ${oneLine(task.question.id)}: ${oneLine(task.question.text, 50)}`)}`
        : '';
    const about = paint.dim(`“${oneLine(task.instruction, 50)}”`);
    return `${paint.bold(task.id.padEnd(width))}  ${oneLine(task.type).padEnd(types)}  ${stateText(task, paint)}${question} ${about}`;
  });
}

function inTrees(tasks: readonly TaskSummary[]): TaskSummary[] {
  const path = (id: string) => id.slice(id.indexOf('.') + 1);
  const byPath = (a: TaskSummary, b: TaskSummary) => path(a.id).localeCompare(path(b.id), 'en', { numeric: true });
  return [...Map.groupBy(tasks, (task) => rootOf(task.id)).values()].flatMap((tree) => tree.sort(byPath));
}
