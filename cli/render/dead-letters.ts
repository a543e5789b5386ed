/** Dead letters as lines for people. */

import type { DeadLetter } from '../../bus/messages.ts';
import type { Retried } from '../../bus/queue/dead-letters.ts';
import type { Paint } from './paint.ts';
import { oneLine } from './printable.ts';
import { timeAndAge } from './times.ts';

/** @param command the command that handles dead letters: `cox dead` or `/dead`. */
export function letterLines(letters: readonly DeadLetter[], now: Date, paint: Paint, command: string): string[] {
  if (letters.length === 0) return ['No dead letters.'];
  const lines = letters.flatMap((letter) => [
    letterLine(letter, paint),
    `    ${paint.dim(`${timeAndAge(letter.at, now)}  ${aboutOf(letter)}`)}`,
  ]);
  return [...lines, paint.dim(`${command} retry <id> runs a task again, ${command} drop <id> removes its letter.`)];
}

export const letterLine = ({ id, type, why }: DeadLetter, paint: Paint): string =>
  `${paint.bold(id)}  ${oneLine(type)}  ${paint.red(oneLine(why, 160))}`;

function aboutOf(letter: DeadLetter): string {
  if (letter.kind === 'ticket') return `${letter.bytes} bytes: ${oneLine(letter.payload, 60)}`;
  const { spec, parent, key, nodes, retriedAs } = letter;
  const of = parent === null ? '' : `${oneLine(key ?? 'a sub-task', 40)} of ${parent}  `;
  const lost = nodes.length > 0 ? `  last with ${[...new Set(nodes)].map((name) => oneLine(name, 40)).join(', ')}` : '';
  return `${of}“${oneLine(spec.instruction, 60)}”${lost}${retriedAs ? `  being retried as ${retriedAs}` : ''}`;
}

export function retriedLine(retried: Retried, paint: Paint): string {
  const { id, as } = retried;
  if (retried.how === 'dispatched') return `${paint.bold(id)} runs again as ${paint.bold(as!)}`;
  const { parent, key, receipt } = retried;
  if (receipt?.fate === 'returned')
    return `${paint.bold(id)} ${paint.red('stays a dead letter')}: ${parent} says ${oneLine(receipt.reason ?? 'no', 200)}`;
  if (as !== null) return `${paint.bold(id)} is run again by ${parent} as ${paint.bold(as)}`;
  if (receipt !== null) return `${paint.bold(id)} is run again by ${parent}, as its ${oneLine(key, 64)}`;
  return `${paint.bold(id)} waits for ${parent}, which has not answered yet; try again later`;
}
