/**
 * Prints the talk with the primary. Each row has a mark that code puts there, so that nothing a model writes looks like a
 * confirmation: `│` for words of the primary's model, `┆` for what code has read (a status, a result), `=>` for what was really
 * done. Rows are printed whole, so events of tasks come between rows and never within one.
 */
import type { PrimaryEvent } from '../../actors/primary/primary.ts';
import { MarkdownFlow } from '../render/markdown.ts';
import type { Paint } from '../render/paint.ts';
import { oneLine } from '../render/printable.ts';
import { wrapped } from './flow.ts';

export interface SpeechOptions {
  readonly paint: Paint;
  readonly print: (lines: readonly string[]) => void;
  readonly columns: () => number;
}

const longestEcho = 72;

export class Speech {
  readonly #options: SpeechOptions;
  readonly #flow: MarkdownFlow;
  /** The text of the reply that is being streamed. */
  #streamed = '';
  /** Ids of the lines that waited. They are shown again when their turn comes. */
  readonly #waited = new Set<string>();

  constructor(options: SpeechOptions) {
    this.#options = options;
    const { paint, print, columns } = options;
    this.#flow = new MarkdownFlow({
      columns: () => columns() - 3,
      say: (line) => print([`${paint.cyan('│')} ${line}`]),
      paint,
    });
  }

  take(event: PrimaryEvent): void {
    const { paint, print } = this.#options;
    if (event.type === 'token') this.#hear(event.text);
    if (event.type === 'reply') this.#reply(event.text, event.by);
    if (event.type === 'ended') {
      this.#endFlow();
      if (event.how === 'interrupted') print([paint.dim('Interrupted.')]);
    }
    if (event.type === 'did') this.did(event.text);
    if (event.type === 'failed') print([`${paint.red('cox:')} ${event.error.message} (${event.error.code})`]);
    if (event.type === 'queued') {
      this.#waited.add(event.line.id);
      print([paint.dim(`  waits, ${event.ahead} before it: ${oneLine(event.line.text, longestEcho)}`)]);
    }
    if (event.type === 'began' && this.#waited.delete(event.line.id))
      print([paint.dim(`» ${oneLine(event.line.text, longestEcho)}`)]);
  }

  /** What was really done. */
  did(text: string): void {
    this.#marked(text, this.#options.paint.green('=>'), 3);
  }

  /** What code has read for the operator. */
  fact(text: string): void {
    this.#marked(text, this.#options.paint.yellow('┆'), 2);
  }

  #hear(text: string): void {
    this.#streamed += text;
    this.#flow.push(text);
  }

  #reply(text: string, by: 'model' | 'code'): void {
    if (by === 'code') {
      this.#endFlow();
      this.fact(text);
      return;
    }
    // What was streamed is printed already. A reply that was cut off has an ellipsis after it.
    if (text.startsWith(this.#streamed)) this.#flow.push(text.slice(this.#streamed.length));
    this.#endFlow();
  }

  #endFlow(): void {
    this.#flow.end();
    this.#streamed = '';
  }

  #marked(text: string, sign: string, width: number): void {
    const { print, columns } = this.#options;
    print(wrapped(text, columns() - 1 - width).map((line) => `${sign} ${line}`));
  }
}
