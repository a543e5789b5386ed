/** Finds the names that a mistyped word probably meant. */

/** Most edits of a name that still counts as the typed one. */
const mostEdits = 2;

/** The names within two edits of the word, nearest first. A short word must keep more than half of its letters. */
export function nearest(word: string, names: readonly string[]): string[] {
  const most = Math.min(mostEdits, Math.floor((word.length - 1) / 2));
  return names
    .map((name) => ({ name, edits: editsBetween(word, name) }))
    .filter(({ edits }) => edits <= most)
    .sort((a, b) => a.edits - b.edits)
    .map(({ name }) => name);
}

/** Number of letters to insert, remove or replace, or of neighbours to swap (optimal string alignment). */
function editsBetween(a: string, b: string): number {
  let [before, above] = [[] as number[], Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(above[j]! + 1, row[j - 1]! + 1, replaced);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwap) row[j] = Math.min(row[j]!, before[j - 2]! + 1);
    }
    [before, above] = [above, row];
  }
  return above[b.length]!;
}
