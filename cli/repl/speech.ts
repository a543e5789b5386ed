/**
 * Prints the talk with the primary as it goes on. Rows are printed whole, so events of tasks come between rows and never within
 * one; each row has a mark (render/talk.ts).
 */
import type { PrimaryEvent } from '../../actors/primary/events.ts';
import { MarkdownFlow } from '../render/markdown.ts';
import type { Paint } from '../render/paint.ts';
import { oneLine, printable } from '../render/printable.ts';
import { echo, markColumns, markedRows, markOf, talkRows } from '../render/talk.ts';
import { wrapped } from './flow.ts';

export interface SpeechOptions {
  readonly paint: Paint;
  readonly print: (lines: readonly string[]) => void;
  readonly columns: () => number;
}

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
      columns: () => columns() - markColumns,
      say: (line) => print([`${markOf('model', paint)} ${line}`]),
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
    if (event.type === 'did') this.#marked('done', event.text);
    if (event.type === 'failed') print([`${paint.red('cox:')} ${printable(event.error.message)} (${oneLine(event.error.code)})`]);
    if (event.type === 'queued') {
      this.#waited.add(event.line.id);
      print([paint.dim(`  waits, ${event.ahead} before it: ${oneLine(event.line.text)}`)]);
    }
    if (event.type === 'began' && this.#waited.delete(event.line.id)) print([echo(event.line.text, paint)]);
    this.#others(event);
  }

  /** What is said at other terminals, and what was left of earlier sessions. */
  #others(event: PrimaryEvent): void {
    const { paint, print } = this.#options;
    if (event.type === 'elsewhere' && event.line.state === 'waiting')
      print([`${echo(event.line.text, paint)}${paint.dim(` (at ${oneLine(event.line.by)})`)}`]);
    if (event.type === 'elsewhere' && event.line.replies.length > 0)
      print(talkRows(event.line, paint, (text) => this.#wrap(text)));
    if (event.type === 'handed') print([paint.dim(`Said at the console: ${oneLine(event.line.text)}`)]);
    if (event.type === 'resumed') print([paint.dim(`Said before and not answered yet: ${oneLine(event.line.text)}`)]);
    if (event.type === 'given-up')
      print([
        `${paint.yellow('!')} Its terminal left while this was being done: ${oneLine(event.line.text)}`,
        paint.dim('  Parts of it may be done. Look at /tasks, and say it again if it is still needed.'),
      ]);
  }

  #hear(text: string): void {
    this.#streamed += text;
    this.#flow.push(text);
  }

  #reply(text: string, by: 'model' | 'code'): void {
    if (by === 'code') {
      this.#endFlow();
      this.#marked('code', text);
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

  #marked(by: 'code' | 'done', text: string): void {
    const { print, paint } = this.#options;
    print(markedRows(by, text, paint, (whole) => this.#wrap(whole)));
  }

  #wrap(text: string): string[] {
    return wrapped(text, this.#options.columns() - 1 - markColumns);
  }
}
