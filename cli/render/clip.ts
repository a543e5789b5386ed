/** Cuts a line to the columns of a terminal. Colour sequences take no column, East Asian letters and most emoji take two. */
import { head, widthOf } from './width.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: colour sequences begin with one
const colours = /(\u001b\[[0-9;]*m)/;

export function clip(line: string, columns: number): string {
  let seen = 0;
  let kept = '';
  // With a group in the pattern, every second part is a colour sequence. Those after the cut are kept, because one ends the colour.
  line.split(colours).forEach((part, at) => {
    if (at % 2 === 1) kept += part;
    else if (seen <= columns) {
      const fitting = head(part, columns - seen);
      kept += fitting;
      seen = fitting === part ? seen + widthOf(part) : Number.POSITIVE_INFINITY;
    }
  });
  return kept;
}
