/**
 * Tells pasted text from typed keys in what a terminal sends.
 * - A terminal with bracketed paste marks it, in any number of pieces.
 * - A terminal without it sends a paste like keys, and so it is taken: a program that types several lines sends the same.
 */
import { withoutTail } from '../../platform/trim.ts';
export type Piece = { readonly kind: 'keys' | 'paste'; readonly text: string };

const begin = '\u001b[200~';
const end = '\u001b[201~';
/** How terminals that report modifiers send Shift-Enter. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the codes of keys are what is looked for
const shiftEnter = /\u001b\[(?:13;[2-4]u|27;[2-4];13~)/g;

export class PasteReader {
  /** The marked paste that has begun and not ended. */
  #open: string | null = null;
  /** The beginning of a marker at the end of a chunk. */
  #rest = '';

  /** Whether the end of a paste has not arrived yet. */
  get isOpen(): boolean {
    return this.#open !== null;
  }

  read(chunk: string): Piece[] {
    // If the end of a paste got lost, Ctrl-C gives the keyboard back.
    if (this.#open !== null && chunk === '\u0003') {
      const text = this.#open + this.#rest;
      this.#open = null;
      this.#rest = '';
      return [{ kind: 'paste', text: whole(text) }];
    }
    const pieces: Piece[] = [];
    let text = this.#rest + chunk;
    this.#rest = '';
    for (;;) {
      const marker = this.#open === null ? begin : end;
      const at = text.indexOf(marker);
      if (at < 0) break;
      this.#take(text.slice(0, at), pieces);
      if (this.#open === null) this.#open = '';
      else {
        pieces.push({ kind: 'paste', text: whole(this.#open) });
        this.#open = null;
      }
      text = text.slice(at + marker.length);
    }
    // A letter alone is a key, and so is a lone Escape; neither is held back.
    const isKey = this.#open === null && text.length === 1;
    const cut = isKey ? text.length : markerStart(text, this.#open === null ? begin : end);
    this.#rest = text.slice(cut);
    this.#take(text.slice(0, cut), pieces);
    return pieces;
  }

  #take(text: string, pieces: Piece[]): void {
    if (text === '') return;
    if (this.#open !== null) {
      this.#open += text;
      return;
    }
    pieces.push({ kind: 'keys', text: text.replace(shiftEnter, '\u001b\r') });
  }
}

/** Line breaks at the end are left out, because Enter is what sends. */
const whole = (text: string): string => withoutTail(asTyped(text), '\n');
const asTyped = (text: string): string => text.replace(/\r\n?/g, '\n');

/** Where a marker that is not complete begins at the end of a text. */
function markerStart(text: string, marker: string): number {
  for (let length = Math.min(marker.length - 1, text.length); length > 0; length -= 1)
    if (text.endsWith(marker.slice(0, length))) return text.length - length;
  return text.length;
}
