/**
 * The terminal of the REPL: lines come in, lines go out, and what is half typed stays as it is while other things are printed above it. Without
 * a terminal it is two plain streams.
 */
import { clearScreenDown, createInterface, cursorTo, type Interface, moveCursor } from 'node:readline';
import { printable } from '../render/printable.ts';
import type { Completion } from './complete.ts';

export interface ScreenOptions {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  readonly prompt: string;
  /** Newest first. */
  readonly history: readonly string[];
  readonly complete: (line: string) => Completion;
}

/**
 * How many rows above the cursor readline believes its prompt to begin. It does not keep count while text is pasted (seen with Node 24: a line
 * of several rows is then drawn twice), so it is told before it draws.
 */
type RowCounting = Interface & { prevRows?: number };

export class Screen {
  readonly isTerminal: boolean;
  readonly #output: NodeJS.WriteStream;
  readonly #readline: RowCounting;
  readonly #lines: string[] = [];
  #news = Promise.withResolvers<void>();
  #closed = false;

  constructor({ input, output, prompt, history, complete }: ScreenOptions) {
    this.isTerminal = Boolean(input.isTTY && output.isTTY);
    this.#output = output;
    if (this.isTerminal) toleratesHangUp(input);
    this.#readline = createInterface({
      input,
      // Without an output readline echoes and prompts nothing.
      ...(this.isTerminal ? { output } : {}),
      terminal: this.isTerminal,
      prompt,
      history: [...history],
      historySize: 1000,
      removeHistoryDuplicates: true,
      completer: complete,
      crlfDelay: Number.POSITIVE_INFINITY,
    });
    if (this.isTerminal)
      input.prependListener('keypress', () => {
        this.#readline.prevRows = this.#readline.getCursorPos().rows;
      });
    this.#readline.on('line', (line) => {
      this.#lines.push(line);
      this.#news.resolve();
      // At once, so that typing goes on while the line is worked on.
      this.prompt();
    });
    this.#readline.on('close', () => {
      // Ctrl-D leaves the cursor behind the prompt.
      if (this.isTerminal && !this.#closed) output.write('\n');
      this.#closed = true;
      this.#news.resolve();
    });
  }

  get columns(): number {
    return this.isTerminal ? (this.#output.columns ?? 80) : Number.POSITIVE_INFINITY;
  }

  /** What is typed and not sent yet. */
  get typed(): string {
    return this.#readline.line ?? '';
  }

  /** Ctrl-C on a terminal, where it is a key and no signal. */
  onInterrupt(handler: () => void): void {
    this.#readline.on('SIGINT', handler);
  }

  prompt(): void {
    if (this.isTerminal && !this.#closed) this.#readline.prompt(true);
  }

  clearTyped(): void {
    // Ctrl-E, Ctrl-U: readline's own way of emptying its line.
    this.#readline.write(null, { ctrl: true, name: 'e' });
    this.#readline.write(null, { ctrl: true, name: 'u' });
  }

  print(lines: readonly string[]): void {
    if (lines.length === 0) return;
    const text = lines.map((line) => `${printable(line, 'keep colours')}\n`).join('');
    if (!this.isTerminal || this.#closed) {
      this.#output.write(text);
      return;
    }
    this.#erase();
    this.#output.write(text);
    this.#readline.prompt(true);
  }

  /** Each line once, in order; ends with the input or with `close`. */
  async *lines(): AsyncGenerator<string> {
    for (;;) {
      while (this.#lines.length > 0) yield this.#lines.shift()!;
      if (this.#closed) return;
      await this.#news.promise;
      this.#news = Promise.withResolvers();
    }
  }

  /** Gives the terminal back. What is printed afterwards goes below. Idempotent. */
  close(): void {
    if (this.#closed) return;
    if (this.isTerminal) this.#erase();
    this.#closed = true;
    this.#readline.close();
  }

  /** Takes the prompt and what is typed off the screen; the cursor is where they began. */
  #erase(): void {
    moveCursor(this.#output, 0, -this.#readline.getCursorPos().rows);
    cursorTo(this.#output, 0);
    clearScreenDown(this.#output);
    this.#readline.prevRows = 0;
  }
}

/** A terminal that was closed cannot be set back, and readline throws that out of a listener of its own, where nobody can catch it. */
function toleratesHangUp(input: NodeJS.ReadStream): void {
  const setRawMode = input.setRawMode.bind(input);
  input.setRawMode = (mode) => {
    try {
      return setRawMode(mode);
    } catch {
      return input;
    }
  };
  input.on('error', () => {});
}
