/** A question of a task, with a command that answers it. */
import type { Question } from '../../bus/messages.ts';
import { approvalWords } from '../approval.ts';
import { asking } from '../question-words.ts';
import { diffBrushes } from './diff.ts';
import { fitting, type Room } from './fit.ts';
import type { Paint } from './paint.ts';
import { oneLine, printable } from './printable.ts';

/**
 * Quotes a word as one shell argument if `command` is typed in a shell. Choices are written by a model, the id of a question may be
 * a stranger's, and operators copy the lines they see, so none of them must run as a command.
 */
function words(text: string | undefined, command: string): string {
  if (text === undefined) return '…';
  const said = oneLine(text, 200);
  if (!command.startsWith('cox') || /^[\w@%+=:,./-]+$/.test(said)) return said;
  return /^[\w@%+=:,./ -]+$/.test(said) ? `"${said}"` : `'${said.replaceAll("'", "'\\''")}'`;
}

/**
 * A command that lets the task continue: it takes the first choice, or adds ten steps and half a dollar to an exhausted budget.
 */
export const answerLine = (id: string, { id: question, kind, choices }: Question, command: string): string =>
  kind === 'budget'
    ? `${command.replace(/answer$/, 'budget')} ${words(id, command)} 10 0.50`
    : `${command} ${words(id, command)} ${words(question, command)} ${words(choices?.[0], command)}`;

/** The question with its choices, in lines. What an approval shows is below its first line, which has the choices. */
export function questionText({ kind, text, choices }: Question): string[] {
  const lines = printable(text).split('\n');
  const offered = choices && choices.length > 0 ? ` (${choices.map((choice) => oneLine(choice, 200)).join(' / ')})` : '';
  const last = kind === 'approval' ? 0 : lines.length - 1;
  return lines.map((line, at) => `${at === 0 ? `${asking[kind]}: ` : ''}${line}${at === last ? offered : ''}`);
}

/** The lines of a question below the first, as `questionText` gives them, in colours. */
export function brushesFor({ kind }: Question, rest: readonly string[], paint: Paint): ((text: string) => string)[] {
  return kind === 'approval' ? diffBrushes(rest, paint) : rest.map(() => (text) => text);
}

export interface QuestionPlace extends Room {
  /** How the operator sees the whole question: `/status k3xq.4`, or a word. */
  readonly showWith: string;
}

/** Columns in front of each line below the first. */
const indent = 4;
/** Rows of the screen that are not for the lines of a question: what answers it, what is left out, and the prompt. */
const otherRows = 5;
const fewestRows = 3;

/**
 * @param command the command that answers a question: `cox answer` or `/answer`; null where the answer is typed in place.
 * @param place cuts the question to this screen.
 */
export function questionLines(
  id: string,
  question: Question,
  paint: Paint,
  command: string | null,
  place?: QuestionPlace,
): string[] {
  const [first = '', ...rest] = questionText(question);
  const brushes = brushesFor(question, rest, paint);
  const task = oneLine(id);
  const room = place && { rows: Math.max(fewestRows, place.rows - otherRows), columns: place.columns - indent };
  const { shown, hidden } = room
    ? fitting([`${task}${first}`, ...rest], room)
    : { shown: [`${task}${first}`, ...rest], hidden: 0 };
  const more = `… ${hidden} more ${hidden === 1 ? 'line' : 'lines'}: ${place?.showWith}`;
  return [
    `${paint.yellow('?')} ${paint.bold(task)} ${shown[0]!.slice(task.length)}`,
    ...shown.slice(1).map((line, at) => `    ${brushes[at]!(line)}`),
    ...(hidden > 0 ? [paint.dim(`    ${more}`)] : []),
    ...hints(id, question, command).map((line) => paint.dim(`    ${line}`)),
  ];
}

/** What an approval takes beside `approve`. */
const otherWords = ['no, with a reason', ...approvalWords].join(' · ');

function hints(id: string, question: Question, command: string | null): string[] {
  const isApproval = question.kind === 'approval';
  if (command === null) return isApproval ? [`approve · ${otherWords}`] : [];
  return [answerLine(id, question, command), ...(isApproval ? [`or: ${otherWords}`] : [])];
}
