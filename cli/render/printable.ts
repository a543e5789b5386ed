/**
 * Text of models, files and tools is data: on a terminal it must not move the cursor, set the title or imitate a line of
 * Coxswain. All control characters except newline and tab are removed. `keep colours` keeps the colours of `paint.ts`.
 */
import { beginningOf } from '../../platform/cut.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: removing control characters is what this is for
const escapes = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above; includes the bidirectional overrides, which reorder a line
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above, sparing the escape of a colour
const controlsButColour = /(?!\u001b\[[0-9;]*m)[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above
const colour = /^\u001b\[(?:1|2|22|31|32|33|34|36|39)m$/;

export function printable(text: string, mode?: 'keep colours'): string {
  const newlines = text.replaceAll('\r\n', '\n');
  if (mode !== 'keep colours') return newlines.replace(escapes, '').replace(controls, '');
  return newlines.replace(escapes, (sequence) => (colour.test(sequence) ? sequence : '')).replace(controlsButColour, '');
}

/** A text as one line: white space is collapsed, and the line is cut to `maxChars` with an ellipsis. */
export function oneLine(text: string, maxChars = 72): string {
  const line = printable(text).replace(/\s+/g, ' ').trim();
  return line.length <= maxChars ? line : `${beginningOf(line, Math.max(1, maxChars - 1)).trimEnd()}…`;
}
