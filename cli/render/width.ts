/** Widths of text on a terminal, counted in grapheme clusters: what a person sees as one letter is never cut or counted twice. */
import stringWidth from 'string-width';

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });
/** Letters of one column each, which need no segmentation. */
const plain = /^[\u0020-\u007e]*$/;

/** The letters of a text as a person counts them: an emoji with its modifiers is one, and so is a letter with its accents. */
export const graphemes = (text: string): string[] =>
  plain.test(text) ? text.split('') : Array.from(segmenter.segment(text), ({ segment }) => segment);

/** Columns that a text takes. Colour sequences take none. */
export const widthOf = (text: string): number => (plain.test(text) ? text.length : stringWidth(text));

/** The longest beginning of a text without colours that takes at most `columns`, in whole letters. */
export function head(text: string, columns: number): string {
  if (text.length * 2 <= columns) return text;
  if (plain.test(text)) return text.slice(0, columns);
  let seen = 0;
  for (const { segment, index } of segmenter.segment(text)) {
    seen += widthOf(segment);
    if (seen > columns) return text.slice(0, index);
  }
  return text;
}
