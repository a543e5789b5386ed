/**
 * Text of models, files, tools, servers and other clients is data: on a terminal it must not move the cursor, set the title,
 * reorder a line or imitate a line of Coxswain. Every such text passes `oneLine`, or `printable` where it may have several lines.
 * The whole then passes the stream that prints it, which keeps the colours of `paint.ts` alone (docs/security.md).
 */
import { beginningOf } from '../../platform/cut.ts';
import { hiddenCharacter } from '../../platform/hidden-characters.ts';
import { type Paint, plain } from './paint.ts';

const colour = String.raw`\u001b\[(?:1|2|22|31|32|33|34|36|39)m`;
/** A whole escape sequence: its letters go with it. One that does not end loses only its first character. */
const sequence = String.raw`\u001b(?:\[[0-?]*[ -\/]*[@-~]|\][^\u0007\u001b\n]*(?:\u0007|\u001b\\)|[@-Z\\\-_])`;
const unwanted = new RegExp(`${sequence}|${hiddenCharacter}`, 'gv');
const unwantedButColour = new RegExp(`(${colour})|${sequence}|${hiddenCharacter}`, 'gv');

export function printable(text: string, mode?: 'keep colours'): string {
  const lines = text.replaceAll('\r\n', '\n').replaceAll(/[\u2028\u2029]/g, ' ');
  // One pass: what is left beside a removed sequence does not become a new one.
  return mode === 'keep colours'
    ? lines.replace(unwantedButColour, (_, ours: string | undefined) => ours ?? '')
    : lines.replace(unwanted, '');
}

/** A text as one line: white space is collapsed, and the line is cut to `maxChars` with an ellipsis. */
export function oneLine(text: string, maxChars = 72): string {
  const line = printable(text).replace(/\s+/g, ' ').trim();
  return line.length <= maxChars ? line : `${beginningOf(line, Math.max(1, maxChars - 1)).trimEnd()}…`;
}

/**
 * A message in colours, or in none if `paint` has none. Its further lines are indented: no text in it looks like a line of its own.
 */
export const message = (text: string, paint?: Paint): string =>
  printable(text, paint === plain ? undefined : 'keep colours').replaceAll('\n', '\n  ');
