/**
 * The marks of the talk, and stored lines as text. Each row has a mark that code puts there, so that nothing a model writes looks
 * like a confirmation.
 */
import type { TalkLine } from '../../bus/messages.ts';
import { MarkdownFlow } from './markdown.ts';
import type { Paint } from './paint.ts';
import { oneLine } from './printable.ts';

type By = TalkLine['replies'][number]['by'];

/** `│`: words of the primary's model. `┆`: what code has read, a status or a result. `=>`: what was really done. */
export const markOf = (by: By, paint: Paint): string =>
  ({ model: paint.cyan('│'), code: paint.yellow('┆'), done: paint.green('=>') })[by];
/** Width of the widest mark and the blank after it. */
export const markColumns = 3;

export const echo = (text: string, paint: Paint): string => paint.dim(`» ${oneLine(text)}`);

/** @param wrap breaks a text into rows that fit beside a mark. */
export const markedRows = (by: By, text: string, paint: Paint, wrap: (text: string) => string[]): string[] =>
  (by === 'model' ? markdownRows(text, paint, wrap) : wrap(text)).map((row) => `${markOf(by, paint)} ${row}`);

function markdownRows(text: string, paint: Paint, wrap: (text: string) => string[]): string[] {
  if (paint.bold('x') === 'x') return wrap(text);
  const rows: string[] = [];
  const widest = Math.max(20, ...wrap(text).map((row) => row.length));
  const flow = new MarkdownFlow({ columns: () => widest, say: (row) => rows.push(row), paint });
  flow.push(text);
  flow.end();
  return rows;
}

const states: Record<TalkLine['state'], string> = {
  waiting: 'waits',
  held: 'is being answered',
  acting: 'is being answered',
  answered: '',
  interrupted: 'interrupted',
  failed: 'no answer',
};

/** A line and what was answered to it. */
export function talkRows({ text, state, replies }: TalkLine, paint: Paint, wrap: (text: string) => string[]): string[] {
  const how = states[state];
  return [
    `${echo(text, paint)}${how && paint.dim(` (${how})`)}`,
    ...replies.flatMap((reply) => markedRows(reply.by, reply.text, paint, wrap)),
  ];
}
