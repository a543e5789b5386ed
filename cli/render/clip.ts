/** Cuts a line to the columns of a terminal. Colour sequences take no column, East Asian letters and most emoji take two. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: colour sequences begin with one
const piece = /\u001b\[[0-9;]*m|[\s\S]/gu;
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const unseen = /[\p{Mn}\p{Me}\p{Cf}]/u;

export function clip(line: string, columns: number): string {
  let seen = 0;
  let kept = '';
  let isFull = false;
  for (const [part] of line.matchAll(piece)) {
    const isColour = part.length > 2 && part.startsWith('\u001b');
    const takes = isColour || unseen.test(part) ? 0 : wide.test(part) ? 2 : 1;
    if (!isColour && seen + takes > columns) isFull = true;
    // Colour sequences after the cut are kept, because one of them ends the colour.
    if (isFull && !isColour) continue;
    kept += part;
    seen += takes;
  }
  return kept;
}
