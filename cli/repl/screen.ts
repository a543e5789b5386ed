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

export class Screen {
  readonly isTerminal: boolean;
  readonly #output: NodeJS.WriteStream;
  readonly #readline: Interface;
  readonly #lines: string[] = [];
  #news = Promise.withResolvers<void>();
  #closed = false;

  constructor({ input, output, prompt, history, complete }: ScreenOptions) {
    this.isTerminal = Boolean(input.isTTY && output.isTTY);
    this.#output = output;
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
    const { rows } = this.#readline.getCursorPos();
    moveCursor(this.#output, 0, -rows);
    cursorTo(this.#output, 0);
    clearScreenDown(this.#output);
    // The prompt is drawn again from `rows` rows further up, where readline believes its first row to be: the empty rows make that true.
    this.#output.write(text + '\n'.repeat(rows));
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
    if (this.isTerminal) {
      const { rows } = this.#readline.getCursorPos();
      moveCursor(this.#output, 0, -rows);
      cursorTo(this.#output, 0);
      clearScreenDown(this.#output);
    }
    this.#closed = true;
    this.#readline.close();
  }
}
