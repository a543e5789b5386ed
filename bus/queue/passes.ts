/**
 * One pass at a time for each task. A message that comes while a pass runs starts no other one: the pass is made once more, and
 * covers all messages that have come meanwhile.
 * Rule `pages` (docs/task-protocol.md).
 */
import type { TaskId } from '../task-id.ts';

/** The ends of the passes over this many tasks are remembered. A task that is forgotten gets another pass, which is harmless. */
const mostEnds = 1_000;

export class Passes {
  /** The last message that each running pass is to cover, by its log sequence. */
  readonly #wanted = new Map<TaskId, number>();
  /** The log sequences up to which passes have covered everything. */
  readonly #ends = new Map<TaskId, number>();

  /**
   * @param pass resolves to the log sequence up to which it has covered everything that was there at its beginning; to null if it
   * could not.
   * @returns false if another pass is going to cover the message, or if this one could not.
   */
  async cover(id: TaskId, seq: number, pass: () => Promise<number | null>): Promise<boolean> {
    if (this.hasCovered(id, seq)) return true;
    if (this.joins(id, seq)) return false;
    this.#wanted.set(id, seq);
    try {
      for (;;) {
        const asked = this.#wanted.get(id)!;
        const end = await pass();
        if (end === null) return false;
        this.#note(id, Math.max(asked, end));
        if (this.hasCovered(id, this.#wanted.get(id)!)) return true;
      }
    } finally {
      this.#wanted.delete(id);
    }
  }

  /** Whether a pass runs for the task. If so, it is going to cover this message too. */
  joins(id: TaskId, seq: number): boolean {
    const wanted = this.#wanted.get(id);
    if (wanted !== undefined) this.#wanted.set(id, Math.max(wanted, seq));
    return wanted !== undefined;
  }

  hasCovered(id: TaskId, seq: number): boolean {
    return (this.#ends.get(id) ?? 0) >= seq;
  }

  #note(id: TaskId, end: number): void {
    this.#ends.delete(id);
    this.#ends.set(id, end);
    if (this.#ends.size > mostEnds) this.#ends.delete(this.#ends.keys().next().value!);
  }
}
