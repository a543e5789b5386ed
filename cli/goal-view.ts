/**
 * A view of a task tree, read from the bus and kept current by events. Only the tree on the bus lists the sub-tasks and their
 * instructions, so it is read again when an event shows that it has grown. Other events cause no read.
 */
import type { Crew } from '../bus/crew.ts';
import type { Status, TreeNode } from '../bus/messages.ts';
import { rootOf, type TaskId } from '../bus/task-id.ts';

export class GoalView {
  readonly id: TaskId;
  readonly #crew: Pick<Crew, 'tree'>;
  readonly #last = new Map<string, Status>();
  #read: readonly TreeNode[] = [];
  #reading: Promise<void> | null = null;
  #again = false;

  constructor(crew: Pick<Crew, 'tree'>, id: TaskId) {
    this.#crew = crew;
    this.id = id;
  }

  /** The tree as last read, with each task's newest known status. */
  get nodes(): TreeNode[] {
    return this.#read.map((node) => {
      const status = node.id === null ? undefined : this.#last.get(node.id);
      // The tree may be newer than the last event: steps only grow, and an outcome is final.
      const newer = status && (status.outcome !== null || (node.outcome === null && status.step >= node.steps));
      return newer ? merge(node, status) : node;
    });
  }

  last(id: string): Status | null {
    return this.#last.get(id) ?? null;
  }

  /** Stores a status. Returns whether the tree has changed, so that the caller must call `refresh`. */
  apply(status: Status): boolean {
    if (rootOf(status.id) !== rootOf(this.id)) return false;
    const before = this.#last.get(status.id);
    this.#last.set(status.id, status);
    const unknown = !this.#read.some((node) => node.id === status.id);
    return unknown || JSON.stringify(before?.subTasks) !== JSON.stringify(status.subTasks);
  }

  /** Reads the tree. A call during a read adds one more read after it and waits for both. */
  refresh(): Promise<void> {
    this.#again = true;
    this.#reading ??= this.#readAll().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  /** Whether every open task in the tree waits for the operator. */
  get stalled(): boolean {
    const open = this.nodes.filter((node) => node.outcome === null);
    const waits = (node: TreeNode) =>
      node.state === 'awaiting-steer' || (node.id !== null && this.last(node.id)?.paused === true);
    // A supervisor in `gathering` only waits for its children, and planned sub-tasks (without an id) cannot start before them.
    return open.some(waits) && open.every((node) => waits(node) || node.state === 'gathering' || node.id === null);
  }

  async #readAll(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      this.#read = await this.#crew.tree(this.id);
    }
  }
}

const merge = (node: TreeNode, status: Status): TreeNode => ({
  ...node,
  state: status.state,
  outcome: status.outcome,
  backend: status.backend,
  steps: status.step,
  usage: status.usage,
  question: status.question,
  ...(status.effects && { effects: status.effects }),
});
