/**
 * The two streams of a command. Stdout carries the answer and nothing else; with `--json` exactly one object (or one a line where the
 * command says so). Everything an operator should know meanwhile goes to stderr.
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
  /** For stdout and for stderr: either may be a terminal while the other is a pipe. */
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

  /** The answer: `value` for programs, `text` for people. A terminal gets no control characters a model or a file has put there. */
  answer(value: object, text: string): void {
    if (this.json) this.#line(this.stdout, JSON.stringify(value));
    else if (text !== '') this.#line(this.stdout, this.stdout.isTTY ? printable(text, 'keep colours') : text);
  }

  /** Something an operator should know; never part of the answer. */
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

  /** Waits until both streams have handed over what was written: the process may end then. */
  async flush(): Promise<void> {
    for (const stream of [this.stdout, this.stderr])
      await new Promise<void>((resolve) => {
        // A stream whose reader has gone calls back with an error, which main.ts has handled already.
        if (stream.writable) stream.write('', () => resolve());
        else resolve();
      });
  }

  #line(stream: NodeJS.WriteStream, text: string): void {
    stream.write(text.endsWith('\n') ? text : `${text}\n`);
  }
}
