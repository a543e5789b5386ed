/**
 * The tree of a running goal. On a terminal it is redrawn in place, at most once per `frameMs`, however many events arrive
 * meanwhile. Into a pipe only the printed lines go.
 */
import { clearScreenDown, cursorTo, moveCursor } from 'node:readline';
import type { TreeNode } from '../../bus/messages.ts';
import type { Progress } from '../../platform/asset.ts';
import type { ProgressBar } from '../../platform/progress.ts';
import { clip } from './clip.ts';
import type { Paint } from './paint.ts';
import { message } from './printable.ts';
import { progressLine } from './progress.ts';
import { treeLines } from './tree.ts';
import { head, widthOf } from './width.ts';

const frameMs = 50;

export class LiveTree {
  readonly #stream: NodeJS.WriteStream;
  readonly #paint: Paint;
  readonly #nodes: () => readonly TreeNode[];
  #footer = '';
  /** Widths of the drawn lines. */
  #drawn: readonly number[] = [];
  #frame: NodeJS.Timeout | null = null;
  #stopped = false;
  /** Lines that wait while the screen belongs to a question; null while the tree has it. */
  #held: string[] | null = null;

  constructor(stream: NodeJS.WriteStream, paint: Paint, nodes: () => readonly TreeNode[]) {
    this.#stream = stream;
    this.#paint = paint;
    this.#nodes = nodes;
    stream.on('resize', this.#resized);
  }

  readonly #resized = (): void => this.changed();

  /** Schedules a redraw on a terminal. Call it after each change of the tree. */
  changed(): void {
    if (!this.#stream.isTTY || this.#stopped || this.#frame || this.#held) return;
    this.#frame = setTimeout(() => {
      this.#frame = null;
      this.#draw();
    }, frameMs);
  }

  /** Prints lines above the tree, where they stay. */
  print(lines: readonly string[]): void {
    if (lines.length === 0) return;
    if (this.#held) {
      this.#held.push(...lines);
      return;
    }
    this.#erase();
    for (const line of lines) this.#stream.write(`${message(line, this.#paint)}\n`);
    if (this.#stream.isTTY && !this.#stopped) this.#draw();
  }

  /** Takes the tree off the screen until `release`, so that an operator can type there. Lines to print wait meanwhile. */
  hold(): void {
    if (this.#held) return;
    if (this.#frame) clearTimeout(this.#frame);
    this.#frame = null;
    this.#erase();
    this.#held = [];
  }

  release(): void {
    const lines = this.#held ?? [];
    this.#held = null;
    this.print(lines);
    this.changed();
  }

  /** Shows a download: on a terminal as the last line below the tree, elsewhere as the plain lines of `bar`. */
  progress(progress: Progress, bar: ProgressBar): void {
    if (this.#stream.isTTY && !this.#stopped) {
      this.#footer = progress.doneBytes < progress.totalBytes ? progressLine(progress) : '';
      this.changed();
    } else bar.onProgress(progress);
  }

  /** Draws the last frame, which stays on the screen. Idempotent. */
  stop(): void {
    if (this.#stopped) return;
    this.release();
    this.#stopped = true;
    this.#stream.off('resize', this.#resized);
    if (this.#frame) clearTimeout(this.#frame);
    if (this.#stream.isTTY) this.#draw();
  }

  #draw(): void {
    this.#erase();
    const columns = this.#stream.columns ?? 80;
    const rows = Math.max(4, (this.#stream.rows ?? 24) - 2);
    const footer = this.#footer && !this.#stopped ? [this.#paint.dim(head(this.#footer, columns - 1))] : [];
    const all = [...treeLines(this.#nodes(), this.#paint, columns - 1), ...footer];
    // Rows that have scrolled off the screen could not be erased, so the tree is cut to the height of the screen.
    const shown =
      all.length > rows && !this.#stopped ? [...all.slice(0, rows - 1), this.#paint.dim(`… ${all.length - rows + 1} more`)] : all;
    // A line that wrapped would take two rows, and erasing by the number of lines would miss one.
    const lines = this.#stopped ? shown : shown.map((line) => clip(line, columns - 1));
    for (const line of lines) this.#stream.write(`${message(line, this.#paint)}\n`);
    this.#drawn = this.#stopped ? [] : lines.map((line) => widthOf(line));
  }

  #erase(): void {
    if (this.#drawn.length === 0) return;
    // A terminal that became narrower has broken the drawn lines anew.
    const columns = Math.max(1, this.#stream.columns ?? 80);
    const rows = this.#drawn.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / columns)), 0);
    moveCursor(this.#stream, 0, -rows);
    cursorTo(this.#stream, 0);
    clearScreenDown(this.#stream);
    this.#drawn = [];
  }
}
