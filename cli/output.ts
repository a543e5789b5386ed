/**
 * The two streams of a command. Stdout carries the answer and nothing else; with `--json` exactly one object, or one a line for
 * `watch`. All other messages to the operator go to stderr.
 */
import { type Paint, paintFor } from './render/paint.ts';
import { printable } from './render/printable.ts';

export interface Reported {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

export class Output {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly json: boolean;
  /** Separate for stdout and stderr, because one may be a terminal while the other is a pipe. */
  readonly paint: { readonly stdout: Paint; readonly stderr: Paint };

  constructor(options: {
    stdout: NodeJS.WriteStream;
    stderr: NodeJS.WriteStream;
    json: boolean;
    env: NodeJS.ProcessEnv;
    color: boolean;
  }) {
    this.stdout = options.stdout;
    this.stderr = options.stderr;
    this.json = options.json;
    const may = options.color;
    this.paint = { stdout: paintFor(options.stdout, options.env, may), stderr: paintFor(options.stderr, options.env, may) };
  }

  /** Prints the answer: `value` with `--json`, else `text`. On a terminal, control characters in `text` are removed. */
  answer(value: object, text: string): void {
    if (this.json) this.#line(this.stdout, JSON.stringify(value));
    else if (text !== '') this.#line(this.stdout, this.stdout.isTTY ? printable(text, 'keep colours') : text);
  }

  /** Prints a message to the operator on stderr. It is never part of the answer. */
  note(text: string): void {
    this.#line(this.stderr, printable(text, 'keep colours'));
  }

  error({ code, message, hint }: Reported): void {
    if (this.json) {
      this.#line(this.stdout, JSON.stringify({ error: { code, message, hint } }));
      return;
    }
    this.#line(this.stderr, `${this.paint.stderr.red('cox:')} ${printable(message)}`);
    if (hint !== '') this.#line(this.stderr, `  ${this.paint.stderr.dim(printable(hint))}`);
  }

  /** Resolves when both streams have written all their data, so that the process may end. */
  async flush(): Promise<void> {
    for (const stream of [this.stdout, this.stderr])
      await new Promise<void>((resolve) => {
        // If the reader has gone, the callback gets an error, which main.ts has already handled.
        if (stream.writable) stream.write('', () => resolve());
        else resolve();
      });
  }

  #line(stream: NodeJS.WriteStream, text: string): void {
    stream.write(text.endsWith('\n') ? text : `${text}\n`);
  }
}
