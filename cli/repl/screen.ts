/**
 * The terminal of the REPL. It reads lines and prints other lines above the half-typed one, which stays unchanged. Without a
 * terminal, input and output are two plain streams.
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
 * `prevRows` is readline's count of rows from its prompt to the cursor. readline does not update it while text is pasted, and
 * then draws a line of several rows twice (seen with Node 24), so it is set before readline draws.
 */
type RowCounting = Interface & { prevRows?: number };

export class Screen {
  readonly isTerminal: boolean;
  readonly #input: NodeJS.ReadStream;
  readonly #output: NodeJS.WriteStream;
  readonly #readline: RowCounting;
  readonly #lines: string[] = [];
  #news = Promise.withResolvers<void>();
  #closed = false;
  /** Lines that wait while another program has the terminal; null while the screen has it. */
  #held: string[] | null = null;

  constructor({ input, output, prompt, history, complete }: ScreenOptions) {
    this.isTerminal = Boolean(input.isTTY && output.isTTY);
    this.#input = input;
    this.#output = output;
    if (this.isTerminal) toleratesHangUp(input);
    this.#readline = createInterface({
      input,
      // Without an output readline neither echoes nor prints a prompt.
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
      // The prompt comes back at once, so that the operator can type while the line is processed.
      this.prompt();
    });
    this.#readline.on('close', () => {
      // After Ctrl-D the cursor is still on the line of the prompt.
      if (this.isTerminal && !this.#closed) output.write('\n');
      this.#closed = true;
      this.#news.resolve();
    });
  }

  get columns(): number {
    return this.isTerminal ? (this.#output.columns ?? 80) : Number.POSITIVE_INFINITY;
  }

  get rows(): number {
    return this.isTerminal ? (this.#output.rows ?? 24) : Number.POSITIVE_INFINITY;
  }

  /** The half-typed line. */
  get typed(): string {
    return this.#readline.line ?? '';
  }

  /** Registers a handler for Ctrl-C on a terminal, where readline reads it as a key and no signal is sent. */
  onInterrupt(handler: () => void): void {
    this.#readline.on('SIGINT', handler);
  }

  prompt(): void {
    if (this.isTerminal && !this.#closed && !this.#held) this.#readline.prompt(true);
  }

  /** Gives the terminal to another program until `run` ends. What is printed meanwhile comes afterwards. */
  async lend<T>(run: () => Promise<T>): Promise<T> {
    if (this.#held) throw new Error('the terminal is lent already');
    this.#erase();
    this.#held = [];
    this.#readline.pause();
    this.#input.setRawMode(false);
    try {
      return await run();
    } finally {
      const held = this.#held;
      this.#held = null;
      if (this.#closed) this.#readline.close();
      else {
        this.#input.setRawMode(true);
        this.#readline.resume();
      }
      this.print(held);
      this.prompt();
    }
  }

  clearTyped(): void {
    // Ctrl-E and Ctrl-U empty the line.
    this.#readline.write(null, { ctrl: true, name: 'e' });
    this.#readline.write(null, { ctrl: true, name: 'u' });
  }

  print(lines: readonly string[]): void {
    if (lines.length === 0) return;
    if (this.#held) {
      this.#held.push(...lines);
      return;
    }
    const text = lines.map((line) => `${printable(line, 'keep colours')}\n`).join('');
    if (!this.isTerminal || this.#closed) {
      this.#output.write(text);
      return;
    }
    this.#erase();
    this.#output.write(text);
    this.#readline.prompt(true);
  }

  /** Yields each typed line once, in order. Ends when the input ends or `close` is called. */
  async *lines(): AsyncGenerator<string> {
    for (;;) {
      while (this.#lines.length > 0) yield this.#lines.shift()!;
      if (this.#closed) return;
      await this.#news.promise;
      this.#news = Promise.withResolvers();
    }
  }

  /** Releases the terminal. Later output goes below the prompt's last position. Idempotent. */
  close(): void {
    if (this.#closed) return;
    if (this.isTerminal && !this.#held) this.#erase();
    this.#closed = true;
    if (!this.#held) this.#readline.close();
    this.#news.resolve();
  }

  /** Erases the prompt and the half-typed line, and leaves the cursor at their first row. */
  #erase(): void {
    moveCursor(this.#output, 0, -this.#readline.getCursorPos().rows);
    cursorTo(this.#output, 0);
    clearScreenDown(this.#output);
    this.#readline.prevRows = 0;
  }
}

/**
 * Resetting a closed terminal fails, and readline throws that error in its own listener, where it cannot be caught. Ignore it.
 */
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
