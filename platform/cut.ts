/**
 * Cuts a text between two characters as a reader sees them (grapheme clusters), never inside one. Every text that is shortened
 * for a model, a screen, a message or a record is shortened here.
 */

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
/** Longest cluster that is kept whole, in UTF-16 units. A longer one is cut between two code points. */
const maxClusterChars = 256;

/** @returns the longest beginning of the text that has at most `maxChars` UTF-16 units and ends with a whole character. */
export function beginningOf(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  if (maxChars <= 0) return '';
  // Segmenting starts at a line or a cluster's length before the cut, since the text may be long.
  const from = Math.max(0, text.lastIndexOf('\n', maxChars - 1) + 1, maxChars - maxClusterChars);
  const cut = segmenter.segment(text.slice(from, maxChars + maxClusterChars)).containing(maxChars - from)?.index ?? 0;
  const isWhole = from === 0 || text[from - 1] === '\n';
  if (cut > 0 || isWhole) return text.slice(0, from + cut);
  return text.slice(0, splitsPair(text, maxChars) ? maxChars - 1 : maxChars);
}

/** @returns the longest end of the text that has at most `maxChars` UTF-16 units and begins with a whole character. */
export function endingOf(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  const at = text.length - maxChars;
  const from = Math.max(0, at - maxClusterChars);
  const begun = segmenter.segment(text.slice(from, at + maxClusterChars)).containing(at - from);
  if (!begun || from + begun.index === at) return text.slice(at);
  const start = from + begun.index + begun.segment.length;
  return text.slice(splitsPair(text, start) ? start + 1 : start);
}

const splitsPair = (text: string, at: number): boolean =>
  /[\uDC00-\uDFFF]/.test(text[at] ?? '') && /[\uD800-\uDBFF]/.test(text[at - 1] ?? '');

/** A text of at most `maxChars` UTF-16 units. Where it is cut, its end says how many are missing. */
export function fitted(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  const room = maxChars - missing(text.length).length;
  if (room <= 0) return `${beginningOf(text, maxChars - 1)}…`;
  const kept = beginningOf(text, room);
  return `${kept}${missing(text.length - kept.length)}`;
}

const missing = (chars: number): string => ` … (${chars.toLocaleString('en')} more characters)`;
