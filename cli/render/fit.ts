/** Cuts a text to the rows of a screen. */

export interface Room {
  readonly rows: number;
  readonly columns: number;
}

/**
 * The lines that fit, the last of them perhaps in part, and the number of lines that do not fit whole. A line that is wider than
 * the screen takes several rows.
 */
export function fitting(lines: readonly string[], { rows, columns }: Room): { shown: string[]; hidden: number } {
  const shown: string[] = [];
  let left = Math.max(1, rows);
  for (const line of lines) {
    const takes = Math.max(1, Math.ceil(widthOf(line) / columns));
    if (takes > left) {
      if (left > 0) shown.push(`${beginning(line, left * columns - 1)}…`);
      return { shown, hidden: lines.length - shown.length + (left > 0 ? 1 : 0) };
    }
    shown.push(line);
    left -= takes;
  }
  return { shown, hidden: 0 };
}

/** At least the columns that a text takes: each letter above the alphabets of Europe counts as a wide one. */
const widthOf = (text: string): number => Array.from(text).reduce((sum, letter) => sum + (letter > '\u10ff' ? 2 : 1), 0);

function beginning(text: string, columns: number): string {
  let [kept, width] = ['', 0];
  for (const letter of text) {
    width += widthOf(letter);
    if (width > columns) break;
    kept += letter;
  }
  return kept;
}
