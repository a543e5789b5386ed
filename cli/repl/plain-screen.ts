/**
 * The prompt on plain streams: a pipe, or a terminal that knows no control codes (TERM=dumb). Lines are read as they come; on a
 * terminal the system's own line editing and echo are at work, and Ctrl-C comes as a signal.
 */
import { createInterface, type Interface } from 'node:readline';
import { message } from '../render/printable.ts';
import { LineQueue } from './line-queue.ts';
import type { Screen, ScreenOptions } from './screen.ts';

export class PlainScreen implements Screen {
  readonly isTerminal: boolean;
  readonly typed = '';
  readonly released = Promise.resolve();
  readonly #options: ScreenOptions;
  readonly #readline: Interface;
  readonly #lines = new LineQueue();
  /** Whether the cursor stands behind a prompt. */
  #isPrompted = false;

  constructor(options: ScreenOptions) {
    this.#options = options;
    const { input, output } = options;
    this.isTerminal = Boolean(input.isTTY && output.isTTY);
    // A closed terminal is no fault.
    if (this.isTerminal) input.on('error', () => {});
    this.#readline = createInterface({ input, terminal: false, crlfDelay: Number.POSITIVE_INFINITY });
    this.#readline.on('line', (line) => {
      this.#isPrompted = false;
      options.history.add(line);
      this.#lines.push(line);
      this.prompt();
    });
    this.#readline.on('close', () => {
      if (this.#isPrompted) output.write('\n');
      this.#isPrompted = false;
      this.#lines.end();
    });
  }

  get columns(): number {
    return this.isTerminal ? (this.#options.output.columns ?? 80) : Number.POSITIVE_INFINITY;
  }
  get rows(): number {
    return this.isTerminal ? (this.#options.output.rows ?? 24) : Number.POSITIVE_INFINITY;
  }

  prompt(): void {
    if (!this.isTerminal || this.#isPrompted || this.#lines.hasEnded) return;
    this.#options.output.write(this.#options.prompt);
    this.#isPrompted = true;
  }

  print(lines: readonly string[]): void {
    if (lines.length === 0) return;
    const wasPrompted = this.#isPrompted;
    this.#isPrompted = false;
    const text = lines.map((line) => `${message(line)}\n`).join('');
    this.#options.output.write(`${wasPrompted ? '\n' : ''}${text}`);
    if (wasPrompted) this.prompt();
  }

  lines(): AsyncGenerator<string> {
    return this.#lines.all();
  }

  close(): void {
    this.#readline.close();
  }

  async lend<T>(run: () => Promise<T>): Promise<T> {
    this.#readline.pause();
    try {
      return await run();
    } finally {
      this.#readline.resume();
      this.prompt();
    }
  }

  /** The system echoes what is typed, so a text cannot be put there; it is shown. */
  put(text: string): void {
    this.print(text.split('\n'));
  }

  setAside(): void {}
  showStatus(): void {}
  onInterrupt(): void {}
  onEscape(): void {}
  onEdit(): void {}
}
