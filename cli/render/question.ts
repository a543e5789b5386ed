/** A question of a task, with the words that answer it. */
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

/** As one argument where a shell reads it: choices are words of a model, and a line that is shown is a line that is copied. */
function words(text: string | undefined, command: string): string {
  if (text === undefined) return '…';
  const said = oneLine(text, 200);
  if (!command.startsWith('cox') || /^[\w@%+=:,./-]+$/.test(said)) return said;
  return /^[\w@%+=:,./ -]+$/.test(said) ? `"${said}"` : `'${said.replaceAll("'", "'\\''")}'`;
}

/** The words that let it go on: the first choice, where there are choices; who is out of budget is given ten steps and half a dollar. */
export const answerLine = (id: string, { id: question, kind, choices }: Question, command: string): string =>
  kind === 'budget'
    ? `${command.replace(/answer$/, 'budget')} ${id} 10 0.50`
    : `${command} ${id} ${question} ${words(choices?.[0], command)}`;

/** `command`: how the operator's surface spells it, `cox answer` or `/answer`. */
export function questionLines(id: string, question: Question, paint: Paint, command: string): string[] {
  const [first = '', ...rest] = printable(question.text).split('\n');
  const choices =
    question.choices && question.choices.length > 0
      ? ` (${question.choices.map((choice) => oneLine(choice, 200)).join(' / ')})`
      : '';
  return [
    `${paint.yellow('?')} ${paint.bold(id)} ${asks[question.kind]}: ${first}${rest.length === 0 ? choices : ''}`,
    ...rest.map((line, at) => `    ${line}${at === rest.length - 1 ? choices : ''}`),
    paint.dim(`    ${answerLine(id, question, command)}`),
  ];
}
