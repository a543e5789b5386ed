/** What changes between two texts, line by line. */

export interface LineDiff {
  /** Unified diff; empty where the texts are the same. */
  readonly text: string;
  readonly added: number;
  readonly removed: number;
}

/**
 * Two texts that differ in more lines are shown as one that goes and one that comes. The time for a diff grows with the square of
 * this number.
 */
const maxDifferentLines = 1_000;

/**
 * @param before null: there is no file.
 * @param after null: the file is deleted.
 */
export async function lineDiff(name: string, before: string | null, after: string | null): Promise<LineDiff> {
  if (before === after) return { text: '', added: 0, removed: 0 };
  // Loaded at the first change of a file, since most starts of `cox` need no diff.
  const { formatPatch, structuredPatch, FILE_HEADERS_ONLY } = await import('diff');
  const names = [before === null ? '/dev/null' : name, after === null ? '/dev/null' : name] as const;
  const limits = { context: 3, maxEditLength: maxDifferentLines };
  const patch = structuredPatch(...names, before ?? '', after ?? '', undefined, undefined, limits);
  if (!patch) return replacement(names, before ?? '', after ?? '');
  const lines = patch.hunks.flatMap((hunk) => hunk.lines);
  return {
    text: formatPatch(patch, FILE_HEADERS_ONLY),
    added: lines.filter((line) => line.startsWith('+')).length,
    removed: lines.filter((line) => line.startsWith('-')).length,
  };
}

function replacement([from, to]: readonly [string, string], before: string, after: string): LineDiff {
  const [old, young] = [linesOf(before), linesOf(after)];
  const rows = [
    `--- ${from}`,
    `+++ ${to}`,
    `@@ -1,${old.length} +1,${young.length} @@`,
    ...old.map((line) => `-${line}`),
    ...young.map((line) => `+${line}`),
  ];
  return { text: `${rows.join('\n')}\n`, added: young.length, removed: old.length };
}

/** The lines of a text; a line end at the end of the text begins no further line. */
export function linesOf(text: string): string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}
