/**
 * Light Markdown on a terminal, while it streams: bold, code, headings, lists and fenced code. Lines are wrapped at blanks. What
 * has been printed never changes: an opening mark counts at once, and its style ends with the line at the latest.
 */
import type { Paint } from './paint.ts';
import { printable } from './printable.ts';

interface Style {
  readonly bold: boolean;
  readonly code: boolean;
}
const plainStyle: Style = { bold: false, code: false };

interface Piece extends Style {
  readonly text: string;
}

export interface MarkdownOptions {
  /** Longest line in characters, at least 20; Infinity breaks only at newlines. */
  readonly columns: () => number;
  readonly say: (line: string) => void;
  readonly paint: Paint;
}

export class MarkdownFlow {
  readonly #options: MarkdownOptions;
  /** The part of the current source line that is not printed yet. */
  #rest = '';
  /** Whether a part of the current source line is printed already. */
  #isContinued = false;
  #indent = '';
  #style = plainStyle;
  #isHeading = false;
  #isFenced = false;
  #said = false;

  constructor(options: MarkdownOptions) {
    this.#options = options;
  }

  push(text: string): void {
    const lines = (this.#rest + text).split('\n');
    const last = lines.pop() ?? '';
    for (const line of lines) {
      this.#rest = line;
      this.#rows(true);
    }
    this.#rest = last;
    this.#rows(false);
  }

  /** Prints the rest of the text. Returns whether any line was printed since the last call of `end`. */
  end(): boolean {
    if (this.#rest !== '') this.#rows(true);
    this.#isFenced = false;
    const said = this.#said;
    this.#said = false;
    return said;
  }

  /** Prints the rows of the source line that are full, and if it is whole also its last row. */
  #rows(isWhole: boolean): void {
    const { columns } = this.#options;
    const width = Math.max(20, columns());
    if (!isWhole && this.#rest.length <= width) return;
    if (!this.#isContinued && !this.#begin()) return;
    for (;;) {
      const room = width - this.#indent.length;
      const cut = this.#isFenced ? fencedCut(this.#rest, room) : styledCut(this.#rest, room);
      if (cut === null) break;
      this.#emit(this.#rest.slice(0, cut.end));
      this.#rest = this.#rest.slice(cut.next);
    }
    if (!isWhole) return;
    this.#emit(this.#rest);
    this.#rest = '';
    this.#isContinued = false;
    this.#style = plainStyle;
  }

  /** Reads the mark at the beginning of a source line. @returns false if the line is a mark only and prints nothing. */
  #begin(): boolean {
    const { paint } = this.#options;
    this.#indent = '';
    this.#isHeading = false;
    if (/^\s*(```|~~~)/.test(this.#rest)) {
      this.#isFenced = !this.#isFenced;
      this.#rest = '';
      return false;
    }
    if (this.#isFenced || !isStyled(paint)) return true;
    const heading = /^#{1,6}\s+/.exec(this.#rest);
    if (heading) {
      this.#isHeading = true;
      this.#rest = this.#rest.slice(heading[0].length).replace(/\s{1,9}#{1,9}\s{0,9}$/, '');
    }
    this.#rest = this.#rest.replace(/^(\s*)[-*+](\s+)/, '$1•$2');
    return true;
  }

  #emit(source: string): void {
    const { say, paint } = this.#options;
    const indent = this.#isContinued ? this.#indent : '';
    if (!this.#isContinued) this.#indent = hangingIndent(source);
    this.#isContinued = true;
    this.#said = true;
    if (this.#isFenced || !isStyled(paint)) {
      say(indent + (this.#isFenced ? paint.cyan(printable(source)) : printable(source)));
      return;
    }
    const { pieces, style } = styled(source, this.#style);
    this.#style = style;
    const text = pieces.map(({ text: piece, bold, code }) => {
      const shown = code ? paint.cyan(printable(piece)) : printable(piece);
      return bold || this.#isHeading ? paint.bold(shown) : shown;
    });
    say(indent + text.join(''));
  }
}

const mostIndent = 12;
/** Blanks as wide as the number or bullet of a list item, so that its further rows begin below its words. */
const hangingIndent = (source: string): string =>
  ' '.repeat(Math.min(mostIndent, /^\s*(?:(?:•|\d{1,3}[.)])\s+)?/.exec(source)![0].length));

/** Without colours the marks stay in the text, because nothing else would show them. */
const isStyled = (paint: Paint): boolean => paint.bold('x') !== 'x';

const mark = /\*\*(?=\S)|(?<=\S)\*\*|`/g;

/** Splits a text at its marks. A mark that is only a sign of its own (`2 ** 3`) stays in the text. */
function styled(source: string, before: Style): { pieces: Piece[]; style: Style } {
  const pieces: Piece[] = [];
  let style = before;
  let from = 0;
  for (const { 0: found, index } of source.matchAll(mark)) {
    if (found === '**' && style.code) continue;
    if (index > from) pieces.push({ text: source.slice(from, index), ...style });
    style = found === '`' ? { ...style, code: !style.code } : { ...style, bold: !style.bold };
    from = index + found.length;
  }
  if (from < source.length) pieces.push({ text: source.slice(from), ...style });
  return { pieces, style };
}

interface Cut {
  readonly end: number;
  readonly next: number;
}

/** Where a row of `room` characters ends, counted without marks; null if the text fits. */
function styledCut(source: string, room: number): Cut | null {
  const marks = [...source.matchAll(mark)].reduce((sum, { 0: found, index }) => (index < room ? sum + found.length : sum), 0);
  return fencedCut(source, room + marks);
}

function fencedCut(source: string, room: number): Cut | null {
  if (source.length <= room) return null;
  const blank = source.lastIndexOf(' ', room);
  if (blank > source.search(/\S/)) return { end: blank, next: blank + 1 };
  const isPair = /[\ud800-\udbff]/.test(source[room - 1] ?? '');
  const end = isPair ? room - 1 : room;
  return { end, next: end };
}
