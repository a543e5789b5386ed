/**
 * The two streams of a command. Stdout carries the answer and nothing else; with `--json` exactly one object, or one a line for
 * `watch`. All other messages to the operator go to stderr.
 */
import { visibleJson } from '../platform/hidden-characters.ts';
import { type Paint, paintFor, plain } from './render/paint.ts';
import { message as asMessage, printable } from './render/printable.ts';

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

  /** Prints the answer: with `--json` `value`, in which what a reader would not see is escaped, else lines for people. */
  answer(value: object, lines: readonly string[]): void {
    if (this.json) this.#line(this.stdout, visibleJson(value));
    else for (const line of lines) this.#line(this.stdout, asMessage(line, this.paint.stdout));
  }

  /** As `answer`, for a text that is the answer itself, such as the words of a model. Into a pipe it goes as it is. */
  content(value: object, text: string): void {
    if (this.json) this.#line(this.stdout, visibleJson(value));
    else if (text !== '') this.#line(this.stdout, this.stdout.isTTY ? printable(text) : text);
  }

  /** Prints a message to the operator on stderr, or several, each on a line. They are never part of the answer. */
  note(messages: string | readonly string[]): void {
    for (const each of [messages].flat()) this.#line(this.stderr, asMessage(each, this.paint.stderr));
  }

  error({ code, message, hint }: Reported): void {
    if (this.json) {
      this.#line(this.stdout, visibleJson({ error: { code, message, hint } }));
      return;
    }
    this.#line(this.stderr, `${this.paint.stderr.red('cox:')} ${asMessage(message, plain)}`);
    if (hint !== '') this.#line(this.stderr, `  ${this.paint.stderr.dim(asMessage(hint, plain))}`);
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
