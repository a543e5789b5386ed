/**
 * Follows a JSON text that comes in pieces, as far as it takes to know whether it can be whole. Each character is looked at once,
 * so that a text costs the same in whatever pieces it comes.
 */
export class JsonProgress {
  #depth = 0;
  #isInString = false;
  #isEscaped = false;
  #last = '';
  #state: 'open' | 'closed' | 'spoiled' = 'open';

  /** Something else than blanks has come. */
  get hasBegun(): boolean {
    return this.#last !== '';
  }
  /** An object, a list or a string has come to its end, and nothing has come behind it. */
  get isClosed(): boolean {
    return this.#state === 'closed';
  }
  /** An object, or the text of a string, can go on here. */
  get takesValue(): boolean {
    return this.#isInString || /[:,[]/.test(this.#last);
  }

  push(piece: string): void {
    for (const char of piece) this.#next(char);
  }

  #next(char: string): void {
    if (this.#isInString) {
      this.#last = char;
      if (this.#isEscaped) this.#isEscaped = false;
      else if (char === '\\') this.#isEscaped = true;
      else if (char === '"') {
        this.#isInString = false;
        this.#closeIfWhole();
      }
      return;
    }
    if (/\s/.test(char)) return;
    this.#last = char;
    if (this.#state === 'closed') this.#state = 'spoiled';
    if (char === '"') this.#isInString = true;
    else if (char === '{' || char === '[') this.#depth++;
    else if (char === '}' || char === ']') {
      this.#depth--;
      this.#closeIfWhole();
    }
  }

  #closeIfWhole(): void {
    if (this.#depth === 0 && this.#state === 'open') this.#state = 'closed';
  }
}
