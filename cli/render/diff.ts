/** Colours for the lines of a unified diff. */
import type { Paint } from './paint.ts';

type Brush = (text: string) => string;

const asIs: Brush = (text) => text;

/**
 * A brush for each line. The numbers in the head of a hunk say how many lines it has, so that a removed line that begins with
 * `-- ` is not taken for the name of a file.
 */
export function diffBrushes(lines: readonly string[], paint: Paint): Brush[] {
  let [old, young] = [0, 0];
  return lines.map((line, at) => {
    if (old > 0 || young > 0) {
      if (!line.startsWith('+') && !line.startsWith('\\')) old -= 1;
      if (!line.startsWith('-') && !line.startsWith('\\')) young -= 1;
      return line.startsWith('+') ? paint.green : line.startsWith('-') ? paint.red : asIs;
    }
    const head = /^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@/.exec(line);
    if (head) {
      [old, young] = [Number(head[1] ?? 1), Number(head[2] ?? 1)];
      return paint.cyan;
    }
    const isName = (line.startsWith('--- ') && lines[at + 1]?.startsWith('+++ ')) || line.startsWith('+++ ');
    return isName ? paint.bold : asIs;
  });
}
