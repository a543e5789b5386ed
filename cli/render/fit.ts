/** Cuts a text to the rows of a screen. */
import { head, widthOf } from './width.ts';

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
      if (left > 0) shown.push(`${head(line, left * columns - 1)}…`);
      return { shown, hidden: lines.length - shown.length + (left > 0 ? 1 : 0) };
    }
    shown.push(line);
    left -= takes;
  }
  return { shown, hidden: 0 };
}
