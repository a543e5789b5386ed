/**
 * What is known of a tree of tasks while it is watched: seeded from the bus, kept current by events. Only the tree knows which sub-tasks
 * there are and what they are asked, so it is read again when an event shows that it has grown; every other event costs nothing.
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

  /** The tree as last read, each task as last heard of. */
  get nodes(): TreeNode[] {
    return this.#read.map((node) => {
      const status = node.id === null ? undefined : this.#last.get(node.id);
      // What was read may be newer than what was heard: steps only grow, and an end is final.
      const newer = status && (status.outcome !== null || (node.outcome === null && status.step >= node.steps));
      return newer ? merge(node, status) : node;
    });
  }

  last(id: string): Status | null {
    return this.#last.get(id) ?? null;
  }

  /** Returns whether the tree has grown: `refresh` then shows all of it. */
  apply(status: Status): boolean {
    if (rootOf(status.id) !== rootOf(this.id)) return false;
    const before = this.#last.get(status.id);
    this.#last.set(status.id, status);
    const unknown = !this.#read.some((node) => node.id === status.id);
    return unknown || JSON.stringify(before?.subTasks) !== JSON.stringify(status.subTasks);
  }

  /** Reads the tree. A call during a read makes one more follow it, and waits for that. */
  refresh(): Promise<void> {
    this.#again = true;
    this.#reading ??= this.#readAll().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  /** Nothing in the tree can go on without the operator. */
  get stalled(): boolean {
    const open = this.nodes.filter((node) => node.outcome === null);
    const waits = (node: TreeNode) =>
      node.state === 'awaiting-steer' || (node.id !== null && this.last(node.id)?.paused === true);
    // A supervisor that gathers is as busy as its children are, and what is planned after them cannot start before.
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
});
