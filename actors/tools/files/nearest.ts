/** Finds what in a file is most like a text that is not in it, so that a model can correct itself. */
import { beginningOf } from '../../../platform/cut.ts';

const maxLines = 8;
const maxLineChars = 200;

/** @returns the end of a sentence about a text that was not found. */
export function nearest(text: string, wanted: string): string {
  const lines = text.split('\n');
  const asked = wanted.split('\n').map(plain).filter(Boolean);
  const at = bestLine(lines.map(plain), asked);
  if (at === null) return '; read the file again';
  const first = Math.max(0, at - 1);
  const rows = lines.slice(first, first + Math.min(maxLines, asked.length + 2));
  const shown = rows.map((line, i) => `${first + i + 1}: ${beginningOf(line, maxLineChars)}`).join('\n');
  return `; the most similar place, with line numbers that are not part of the file:\n${shown}`.toWellFormed();
}

const plain = (line: string): string => line.trim().replaceAll(/\s+/g, ' ').toLowerCase();

/** The line at which most of the wanted lines follow, else the one that shares most words with the first of them. */
function bestLine(lines: readonly string[], asked: readonly string[]): number | null {
  const [first = ''] = asked;
  const wanted = new Set(asked);
  let best: { at: number; score: number } | null = null;
  const words = new Set(first.split(/[^\p{L}\p{N}]+/u).filter((word) => word.length > 2));
  for (const [at, line] of lines.entries()) {
    const follow = line !== '' && wanted.has(line) ? lines.slice(at, at + asked.length).filter((it) => wanted.has(it)).length : 0;
    const shared = new Set(line.split(/[^\p{L}\p{N}]+/u).filter((word) => words.has(word))).size;
    const score = follow > 0 ? 1 + follow : words.size > 0 ? shared / words.size : 0;
    if (score > 0.3 && score > (best?.score ?? 0)) best = { at, score };
  }
  return best?.at ?? null;
}
