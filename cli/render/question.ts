/** A question of a task, with a command that answers it. */
import type { Question } from '../../bus/messages.ts';
import type { Paint } from './paint.ts';
import { oneLine, printable } from './printable.ts';

const asks: Record<Question['kind'], string> = {
  asked: 'asks',
  approval: 'wants approval',
  'in-doubt': 'is in doubt',
  budget: 'is out of budget',
  stuck: 'is stuck',
  checkpoint: 'cannot go on',
};

/**
 * Quotes an answer as one shell argument if `command` is typed in a shell. Choices are written by a model, and operators copy the
 * lines they see, so a choice must not run as a command.
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
    ? `${command.replace(/answer$/, 'budget')} ${id} 10 0.50`
    : `${command} ${id} ${question} ${words(choices?.[0], command)}`;

/** The question with its choices, in lines. The choices of an approval come before its diff, not as a part of it. */
export function questionText({ kind, text, choices }: Question): string[] {
  const lines = printable(text).split('\n');
  const offered = choices && choices.length > 0 ? ` (${choices.map((choice) => oneLine(choice, 200)).join(' / ')})` : '';
  const offeredAt = kind === 'approval' ? 0 : lines.length - 1;
  return lines.map((line, at) => `${at === 0 ? `${asks[kind]}: ` : ''}${line}${at === offeredAt ? offered : ''}`);
}

/** @param command the command that answers a question: `cox answer` or `/answer`; null where the answer is typed in place. */
export function questionLines(id: string, question: Question, paint: Paint, command: string | null): string[] {
  const [first = '', ...rest] = questionText(question);
  return [
    `${paint.yellow('?')} ${paint.bold(id)} ${first}`,
    ...rest.map((line) => `    ${line}`),
    ...(command === null ? [] : [paint.dim(`    ${answerLine(id, question, command)}`)]),
  ];
}
