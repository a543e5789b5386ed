/**
 * The screen of the REPL: where lines are typed, and where others are printed above the half-typed one, which stays unchanged.
 * A terminal is driven by `TerminalScreen`, a pipe and a terminal without control codes by `PlainScreen`.
 */
import type { Completion } from './complete.ts';

export interface ScreenOptions {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  readonly prompt: string;
  readonly history: {
    /** Newest first. */
    readonly entries: readonly string[];
    add(text: string): void;
  };
  readonly complete: (line: string) => Completion;
}

export interface Screen {
  /** Whether a person sits there. */
  readonly isTerminal: boolean;
  /** The size in letters; Infinity without a terminal. */
  readonly columns: number;
  readonly rows: number;
  /** The half-typed text. */
  readonly typed: string;
  /** Resolves when the terminal is given back after `close`. */
  readonly released: Promise<void>;

  prompt(): void;
  print(lines: readonly string[]): void;
  /** A line above the prompt that is replaced by the next; an empty one takes it away. */
  showStatus(line: string): void;
  /** Moves the half-typed text to the history. */
  setAside(): void;
  /** Puts a text at the prompt as if typed. */
  put(text: string): void;
  /** Yields each entered text once, in order. Ends when the input ends or `close` is called. */
  lines(): AsyncGenerator<string>;
  /** Gives the terminal to another program until `run` ends. What is printed meanwhile comes afterwards. */
  lend<T>(run: () => Promise<T>): Promise<T>;
  /** Registers a handler for Ctrl-C on a terminal, where it comes as a key and no signal is sent. */
  onInterrupt(handler: () => void): void;
  /** Registers a handler for the Escape key. */
  onEscape(handler: () => void): void;
  /** Registers a handler for the key that opens the half-typed text in an editor. */
  onEdit(handler: () => void): void;
  /** Releases the terminal. Later output goes below the prompt's last position. Idempotent. */
  close(): void;
}
