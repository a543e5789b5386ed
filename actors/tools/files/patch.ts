/** Reads unified diffs as models write them. */
import type { StructuredPatch } from 'diff';
import { messageOf } from '../../../platform/errors.ts';
import { nearest } from './nearest.ts';
import type { FormedText } from './text-form.ts';

/** The parts of a patch that are about one file. Null instead of a name: the file is new, or deleted. */
export interface FilePatch {
  readonly from: string | null;
  readonly to: string | null;
  readonly patch: StructuredPatch;
}

const headers = /^--- (?<from>.+)\n\+\+\+ (?<to>.+)\n@@/gm;

/** The files that a patch names, by its headers alone. */
export const filesNamed = (patch: string): string[] =>
  [...plainLines(patch).matchAll(headers)].map(({ groups }) => {
    const { from, to } = namesOf(nameIn(groups!.from!), nameIn(groups!.to!));
    return to ?? from ?? '/dev/null';
  });
const nameIn = (header: string): string => header.split('\t', 1)[0]!.trim();
const plainLines = (patch: string): string => patch.replaceAll('\r\n', '\n');

/** Takes off `a/` and `b/`, which git puts in front. */
function namesOf(from: string, to: string): { from: string | null; to: string | null } {
  const isGit = (from === '/dev/null' || from.startsWith('a/')) && (to === '/dev/null' || to.startsWith('b/'));
  const name = (it: string) => (it === '/dev/null' ? null : isGit ? it.slice(2) : it);
  return { from: name(from), to: name(to) };
}

/** @throws Error for the model if this is no patch that can be applied. */
export async function filePatches(patch: string): Promise<FilePatch[]> {
  const { parsePatch } = await import('diff');
  const files = parsedBy(parsePatch, patch).map((it): FilePatch => {
    if (it.oldFileName === undefined || it.newFileName === undefined) throw new Error(`a file has no names; ${shape}`);
    return { ...namesOf(it.oldFileName.trim(), it.newFileName.trim()), patch: it };
  });
  const named = filesNamed(patch);
  // The operator was shown the names that `filesNamed` finds, so the patch may change these files only.
  if (named.length === 0 || named.join('\n') !== files.map(({ from, to }) => to ?? from ?? '/dev/null').join('\n'))
    throw new Error(shape);
  for (const { from, to, patch } of files) {
    if (from === null && to === null) throw new Error('a file cannot be both new and deleted');
    if (from !== null && to !== null && from !== to)
      throw new Error(`a patch cannot rename ${from} to ${to}; delete one file and create the other, with /dev/null`);
    if (patch.isBinary || (patch.oldMode !== patch.newMode && patch.oldMode && patch.newMode))
      throw new Error(`only the text of ${to ?? from} can be changed`);
  }
  const twice = named.find((name, at) => named.indexOf(name) !== at);
  if (twice !== undefined) throw new Error(`${twice} is named twice; put all its hunks below one header`);
  return files;
}
const shape = 'each file begins with a line "--- old" and a line "+++ new", and each of its hunks with "@@ -1,3 +1,4 @@"';

function parsedBy(parsePatch: (patch: string) => StructuredPatch[], patch: string): StructuredPatch[] {
  try {
    return parsePatch(withRightCounts(plainLines(patch)));
  } catch (cause) {
    throw new Error(`${messageOf(cause)}; ${shape}`, { cause });
  }
}

/** Models count badly: the numbers of lines of each hunk are set to what is there. */
function withRightCounts(patch: string): string {
  const lines = patch.split('\n');
  const isHeader = (at: number) =>
    /^@@/.test(lines[at]!) ||
    (/^--- /.test(lines[at]!) && /^\+\+\+ /.test(lines[at + 1] ?? '') && /^@@/.test(lines[at + 2] ?? ''));
  const result: string[] = [];
  for (let at = 0; at < lines.length; ) {
    const line = lines[at++]!;
    const header = /^@@(?:\s+-(?<from>\d+)(?:,\d+)?\s+\+(?<to>\d+)(?:,\d+)?)?/.exec(line);
    if (!header) {
      result.push(line);
      continue;
    }
    const hunk: string[] = [];
    while (at < lines.length && !isHeader(at) && /^(?:[ +\-\\]|$)/.test(lines[at]!)) hunk.push(lines[at++]!);
    // An empty line at the end is between two files, or the end of the patch; within a hunk it is an empty line of the file.
    while (hunk.at(-1) === '') hunk.pop();
    const rows = hunk.map((row) => row || ' ');
    const count = (signs: string) => rows.filter((row) => signs.includes(row[0]!)).length;
    result.push(`@@ -${header.groups?.from ?? 1},${count(' -')} +${header.groups?.to ?? 1},${count(' +')} @@`, ...rows);
  }
  return result.join('\n');
}

/**
 * Applies the hunks in their order, wherever they fit; line ends and blanks at the ends of lines do not matter.
 * @throws Error for the model that says which hunk does not fit.
 */
export async function patched(name: string, { text, form }: FormedText, patch: StructuredPatch): Promise<string> {
  const { applyPatch } = await import('diff');
  const isWindows = form.lineEnds === 'mixed' && text.indexOf('\r\n') === text.indexOf('\n') - 1;
  const fitted = isWindows ? withWindowsLineEnds(patch) : patch;
  const options = {
    autoConvertLineEndings: false,
    compareLine: (_: number, line: string | undefined, __: string, wanted: string) => line?.trimEnd() === wanted.trimEnd(),
  };
  const result = applyPatch(text, fitted, options);
  if (result !== false) return result;
  const at = fitted.hunks.findIndex(
    (_, i) => applyPatch(text, { ...fitted, hunks: fitted.hunks.slice(0, i + 1) }, options) === false,
  );
  const hunk = fitted.hunks[at] ?? fitted.hunks[0]!;
  const asked = hunk.lines.filter((line) => /^[ -]/.test(line)).map((line) => line.slice(1));
  throw new Error(`hunk ${at + 1} does not fit ${name}${nearest(text, asked.join('\n'))}`);
}

function withWindowsLineEnds(patch: StructuredPatch): StructuredPatch {
  const lines = (hunk: StructuredPatch['hunks'][number]) =>
    hunk.lines.map((line, at) => (line.startsWith('+') && !hunk.lines[at + 1]?.startsWith('\\') ? `${line}\r` : line));
  return { ...patch, hunks: patch.hunks.map((hunk) => ({ ...hunk, lines: lines(hunk) })) };
}
