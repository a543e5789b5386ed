/**
 * The screen on a terminal. All that is below the printed lines is one region: the status line, the prompt and the half-typed
 * text. Each change erases the region and draws it again in one write, so that nothing flickers and nothing is left behind.
 */

import { clip } from '../render/clip.ts';
import { message, printable } from '../render/printable.ts';
import { widthOf } from '../render/width.ts';
import { type Draft, textOf } from './editor.ts';
import { Keyboard } from './keyboard.ts';
import { type Layout, layout, windowed } from './layout.ts';
import { LineQueue } from './line-queue.ts';
import { Painter } from './painter.ts';
import { type Effect, PromptLine } from './prompt-line.ts';
import type { Screen, ScreenOptions } from './screen.ts';

/** Lines that are printed while another program has the terminal. Older ones are left out, and that is said. */
const mostHeldLines = 10_000;

export class TerminalScreen implements Screen {
  readonly isTerminal = true;
  readonly released: Promise<void>;
  readonly #options: ScreenOptions;
  readonly #line: PromptLine;
  readonly #keyboard: Keyboard;
  readonly #painter = new Painter();
  readonly #lines = new LineQueue();
  readonly #release = Promise.withResolvers<void>();
  #status = '';
  /** Whether the prompt is shown: from the first call of `prompt` on. */
  #isShown = false;
  /** Lines that wait while another program has the terminal; null: none has it. */
  #held: string[] | null = null;
  #closed = false;
  /** What the keys do that are not about the text. */
  readonly #actions: Record<Exclude<Effect['kind'], 'submit' | 'candidates'>, () => void> = {
    interrupt: () => {},
    escape: () => {},
    'open-editor': () => {},
    'end-of-input': () => this.close(),
    suspend: () => this.#suspend(),
    'clear-screen': () => {
      this.#painter.forget();
      this.#options.output.write('\u001b[H\u001b[2J');
    },
  };

  constructor(options: ScreenOptions) {
    this.#options = options;
    this.released = this.#release.promise;
    const { input, output, prompt, history, complete } = options;
    this.#line = new PromptLine({ prompt, complete, history: () => history.entries });
    this.#keyboard = new Keyboard({
      input,
      write: (codes) => output.write(codes),
      onKey: (letter, key) => this.#take(this.#line.press(letter, key)),
      onPaste: (text) => this.#line.paste(printable(text)),
      onRead: () => this.#draw(),
      onEnd: () => this.close(),
    });
    output.on('resize', this.#draw);
    process.on('SIGCONT', this.#resume);
    this.#keyboard.open();
  }

  get columns(): number {
    return this.#options.output.columns ?? 80;
  }
  get rows(): number {
    return this.#options.output.rows ?? 24;
  }
  get typed(): string {
    return this.#line.text;
  }

  prompt(): void {
    this.#isShown = true;
    this.#draw();
  }

  print(lines: readonly string[]): void {
    if (lines.length === 0) return;
    if (this.#held) {
      this.#held.push(...lines);
      return;
    }
    this.#draw(lines.map((line) => `${message(line)}\n`).join(''));
  }

  showStatus(line: string): void {
    if (line === this.#status) return;
    this.#status = line;
    this.#draw();
  }

  setAside(): void {
    this.#options.history.add(this.#line.text);
    this.#line.clear();
    this.#draw();
  }

  put(text: string): void {
    this.#line.set(text);
    this.#draw();
  }

  lines(): AsyncGenerator<string> {
    return this.#lines.all();
  }

  onInterrupt(handler: () => void): void {
    this.#actions.interrupt = handler;
  }
  onEscape(handler: () => void): void {
    this.#actions.escape = handler;
  }
  onEdit(handler: () => void): void {
    this.#actions['open-editor'] = handler;
  }

  async lend<T>(run: () => Promise<T>): Promise<T> {
    if (this.#held) throw new Error('the terminal is lent already');
    this.#options.output.write(this.#painter.erased(this.columns));
    this.#held = [];
    this.#keyboard.release();
    try {
      return await run();
    } finally {
      const held = this.#held;
      this.#held = null;
      if (!this.#closed) this.#keyboard.open();
      const left = held.length - mostHeldLines;
      this.print(left > 0 ? [`… ${left} lines left out`, ...held.slice(left)] : held);
      this.#draw();
    }
  }

  close(): void {
    if (this.#closed) return;
    // What was typed and not sent is in the history of the next session.
    this.#options.history.add(this.#line.text);
    this.#options.output.write(this.#painter.erased(this.columns));
    this.#closed = true;
    this.#options.output.off('resize', this.#draw);
    process.off('SIGCONT', this.#resume);
    this.#lines.end();
    void this.#keyboard.close().then(this.#release.resolve, this.#release.resolve);
  }

  #take(effect: Effect | null): void {
    if (effect?.kind === 'submit') this.#submit(effect.draft);
    else if (effect?.kind === 'candidates') this.print(inColumns(effect.candidates, this.columns));
    else if (effect) this.#actions[effect.kind]();
  }

  /** Leaves the sent text on the screen as it was shown, without the status line. */
  #submit(draft: Draft): void {
    const { output, prompt, history } = this.#options;
    const text = textOf(draft.cells);
    history.add(text);
    const { rows } = layout(prompt, { ...draft, cursor: 0 }, this.columns);
    output.write(`${this.#painter.erased(this.columns)}${rows.join('\r\n')}\n`);
    // The prompt comes back at once, so that the operator can type while the line is processed.
    this.#lines.push(text);
  }

  readonly #draw = (above: unknown = ''): void => {
    const text = typeof above === 'string' ? above : '';
    if (this.#held) return;
    const { output } = this.#options;
    const region = this.#isShown && !this.#closed ? this.#painter : null;
    const codes = this.#painter.erased(this.columns) + text;
    output.write(region ? codes + region.drawn(this.#region()) : codes);
  };

  #region(): Layout {
    const { prompt, draft } = this.#line.shown;
    const status = this.#status === '' ? [] : [clip(this.#status, this.columns - 1)];
    const { rows, cursor } = windowed(layout(prompt, draft, this.columns), Math.max(1, this.rows - 1 - status.length));
    return { rows: [...status, ...rows], cursor: { row: cursor.row + status.length, column: cursor.column } };
  }

  /** Ctrl-Z: stops all processes of this job, as the terminal itself would. */
  #suspend(): void {
    this.#options.output.write(this.#painter.erased(this.columns));
    this.#keyboard.release();
    process.kill(0, 'SIGTSTP');
  }

  /** After `fg`: the shell has changed the mode of the terminal. */
  readonly #resume = (): void => {
    if (this.#held || this.#closed) return;
    this.#keyboard.release();
    this.#keyboard.open();
    this.#draw();
  };
}

/** Words side by side, as many as fit. */
function inColumns(words: readonly string[], columns: number): string[] {
  const width = Math.max(...words.map(widthOf)) + 2;
  const perRow = Math.max(1, Math.floor((columns - 1) / width));
  const lines: string[] = [];
  for (let at = 0; at < words.length; at += perRow)
    lines.push(
      words
        .slice(at, at + perRow)
        .map((word) => word + ' '.repeat(width - widthOf(word)))
        .join('')
        .trimEnd(),
    );
  return lines;
}
