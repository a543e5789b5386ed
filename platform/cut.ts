/** Cuts a text between two characters as a reader sees them (grapheme clusters), never inside one. */

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
/** Longest cluster that is kept whole, in UTF-16 units. A longer one is cut between two code points. */
const maxClusterChars = 256;

/** @returns the longest beginning of the text that has at most `maxChars` UTF-16 units and ends with a whole character. */
export function beginningOf(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  // Segmenting starts at a line or a cluster's length before the cut, since the text may be long.
  const from = Math.max(0, text.lastIndexOf('\n', maxChars - 1) + 1, maxChars - maxClusterChars);
  const cut = segmenter.segment(text.slice(from, maxChars + maxClusterChars)).containing(maxChars - from)?.index ?? 0;
  const isWhole = from === 0 || text[from - 1] === '\n';
  if (cut > 0 || isWhole) return text.slice(0, from + cut);
  const splitsPair = /[\uDC00-\uDFFF]/.test(text[maxChars] ?? '') && /[\uD800-\uDBFF]/.test(text[maxChars - 1] ?? '');
  return text.slice(0, splitsPair ? maxChars - 1 : maxChars);
}
