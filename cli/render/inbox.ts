/** The inbox as lines for people: each open question with its number, its task, its age and what waits for its answer. */
import type { Numbered } from '../inbox.ts';
import { ago } from './figures.ts';
import type { Paint } from './paint.ts';
import { oneLine } from './printable.ts';
import { brushesFor, questionText } from './question.ts';

/** Most lines of one question that a list shows; it says how many there are more. */
const mostLines = 8;

export interface InboxWords {
  readonly now: Date;
  /** The command that answers a question: `cox answer` or `/answer`. Null leaves out the line about it. */
  readonly answerWith: string | null;
  /** The command that shows a whole question: `cox status` or `/status`. */
  readonly showWith: string;
}

export function inboxLines(list: readonly Numbered[], paint: Paint, words: InboxWords): string[] {
  if (list.length === 0) return ['No open questions.'];
  const width = String(list.at(-1)!.number).length;
  const { answerWith } = words;
  return [
    ...list.flatMap((each) => itemLines(each, width, paint, words)),
    ...(answerWith === null ? [] : howTo(answerWith, list).map(paint.dim)),
  ];
}

const howTo = (command: string, list: readonly Numbered[]): string[] => [
  `${command} <number> <words> answers one; ${command} all <words> answers all that take the words as a choice.`,
  ...(list.some(({ question }) => question.kind === 'approval') ? ['Approvals also take: edit · goal · always'] : []),
];

function itemLines(item: Numbered, width: number, paint: Paint, { now, showWith }: InboxWords): string[] {
  const { number, id, key, question, askedAt } = item;
  const indent = ' '.repeat(width + 2);
  const [first = '', ...rest] = questionText(question);
  const brushes = brushesFor(question, rest, paint);
  const shown = rest.slice(0, mostLines - 1);
  const hidden = rest.length - shown.length;
  const name = `${paint.bold(id)}${key === null ? '' : ` ${oneLine(key, 64)}`}`;
  return [
    `${paint.yellow(String(number).padStart(width))}  ${name} ${first}`,
    ...shown.map((line, at) => `${indent}  ${brushes[at]!(line)}`),
    ...(hidden > 0 ? [`${indent}  ${paint.dim(`${hidden} more ${hidden === 1 ? 'line' : 'lines'}: ${showWith} ${id}`)}`] : []),
    `${indent}${paint.dim(`${ago(askedAt, now)} ago · ${behind(item)}`)}`,
  ];
}

/** What waits for the answer. */
function behind({ id, goal, goalInstruction, blocked }: Numbered): string {
  const about = goalInstruction === null ? '' : ` “${oneLine(goalInstruction, 50)}”`;
  const waits = id === goal ? `this task waits${about}` : `its goal ${goal} waits${about}`;
  const subTasks = blocked === 1 ? '1 sub-task' : `${blocked} sub-tasks`;
  return blocked === 0 ? waits : `${waits}, and ${subTasks} behind it`;
}
