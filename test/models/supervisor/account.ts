/** The contract’s own account of a plan: the state of each sub-task, by the rules in docs/task-protocol.md. */
import type { Failure } from '../../../machines/conversation.ts';
import type { NodeSpec, PlanNode } from '../../../machines/plan.ts';
import type { Return, SupervisorPolicy } from '../../../machines/supervisor-context.ts';

export interface Task {
  spec: NodeSpec;
  status: PlanNode['status'];
  attempt: number;
  child: number | null;
  failure: string | null;
  without: string[];
  corrections: number;
}
export interface Told {
  id: string;
  kind: 'steer' | 'cancel' | 'pause' | 'resume' | 'allow';
  text: string;
  urgency: string;
  children: number[];
}

export class Account {
  tasks = new Map<string, Task>();
  /** Children that were told to stop, have not returned, and belong to no sub-task any more. */
  strays = new Set<number>();
  /** Children that have waited for their operator. They hold no place. */
  readonly waiting = new Set<number>();
  undecided: string[] = [];
  relays: Told[] = [];
  children = 0;
  /** US dollars that are set aside, by the child that may spend them. */
  slices = new Map<number, number>();
  toppedUpUsd = 0;
  readonly #policy: SupervisorPolicy;

  constructor(policy: SupervisorPolicy) {
    this.#policy = policy;
  }

  get all(): Task[] {
    return [...this.tasks.values()];
  }
  get running(): Task[] {
    return this.all.filter(({ status }) => status === 'running');
  }
  get runningChildren(): number[] {
    return this.running.map(({ child }) => child!);
  }
  #isResolved = ({ status, spec }: Task) =>
    status === 'returned' || status === 'dropped' || (status === 'failed' && !this.undecided.includes(spec.key));
  get hasUnsettled(): boolean {
    return this.all.some((task) => !this.#isResolved(task));
  }
  #needs = ({ spec }: Task): Task[] => spec.after.flatMap((key) => this.tasks.get(key) ?? []);

  plan(specs: readonly NodeSpec[]): void {
    for (const spec of specs) this.add(spec);
  }
  add(spec: NodeSpec): void {
    this.tasks.set(spec.key, { spec, status: 'waiting', attempt: 0, child: null, failure: null, without: [], corrections: 0 });
  }

  /** Starts sub-tasks with resolved dependencies, in order, within the limit; fails those without any result to work on. */
  advance(corrections: number, spentUsd: number): void {
    for (let moved = true; moved; ) {
      moved = false;
      for (const task of this.all.filter(({ status }) => status === 'waiting')) {
        const needed = this.#needs(task);
        if (!needed.every(this.#isResolved)) continue;
        if (!needed.some(({ status }) => status === 'failed') || needed.some(({ status }) => status === 'returned')) continue;
        Object.assign(task, { status: 'failed', failure: 'dependency-failed' });
        moved = true;
      }
    }
    const share = this.#share(spentUsd);
    for (const task of this.all) {
      if (task.status !== 'waiting' || !this.#needs(task).every(this.#isResolved)) continue;
      if (this.runningChildren.filter((child) => !this.waiting.has(child)).length >= this.#policy.concurrency) break;
      this.children++;
      this.slices.set(this.children, share);
      Object.assign(task, { status: 'running', attempt: task.attempt + 1, child: this.children, failure: null, corrections });
    }
  }

  /** An equal share for each sub-task that has not started, and for the goal itself. */
  #share(spentUsd: number): number {
    const waiting = this.all.filter(({ status }) => status === 'waiting').length;
    return Math.max(0, this.leftUsd(spentUsd)) / (waiting + 1);
  }
  leftUsd(spentUsd: number): number {
    return this.#policy.budgetUsd! + this.toppedUpUsd - spentUsd - this.setAsideUsd;
  }
  get setAsideUsd(): number {
    return [...this.slices.values()].reduce((sum, each) => sum + each, 0);
  }
  #comesBack({ child, toppedUpUsd = 0 }: Return): void {
    this.slices.delete(child);
    this.toppedUpUsd += toppedUpUsd;
  }

  /** Counts a child’s return once. @returns the failure that ends the whole goal, if there is one. */
  takeReturn(back: Return, ending: boolean): { counted: boolean; fatal: Failure | null } {
    const { child, outcome, failure, backend } = back;
    if (this.strays.delete(child)) {
      this.#comesBack(back);
      return { counted: true, fatal: null };
    }
    const task = this.running.find((each) => each.child === child);
    if (!task) return { counted: false, fatal: null };
    this.#comesBack(back);
    if (outcome === 'completed') {
      task.status = 'returned';
      return { counted: true, fatal: null };
    }
    task.status = 'failed';
    task.failure = failure?.code ?? outcome;
    if (ending || outcome === 'cancelled') return { counted: true, fatal: null };
    const { onFailure, maxAttempts } = this.#policy;
    if (onFailure === 'escalate') return { counted: true, fatal: failure };
    const again = (onFailure === 'retry' || onFailure === 'failover') && failure!.retryable && task.attempt < maxAttempts;
    if (again) {
      task.status = 'waiting';
      const failed = backend ?? task.spec.backend;
      if (onFailure === 'failover' && failed !== null && !task.without.includes(failed)) task.without.push(failed);
    } else if (onFailure !== 'skip') this.undecided.push(task.spec.key);
    return { counted: true, fatal: null };
  }

  /** Tells the children of these tasks to stop. Their returns then belong to no sub-task. */
  #stray(tasks: readonly Task[], id: string): void {
    const children = tasks.filter(({ status }) => status === 'running').map(({ child }) => child!);
    if (children.length === 0) return;
    for (const child of children) this.strays.add(child);
    this.relays.push({ id, kind: 'cancel', text: '', urgency: 'now', children });
  }

  drop(key: string, id: string): void {
    const task = this.tasks.get(key)!;
    this.#stray([task], id);
    task.status = 'dropped';
    this.undecided = this.undecided.filter((each) => each !== key);
  }

  /** Runs the sub-task and all its dependants again. @returns their keys. */
  rerun(key: string, id: string, change: { instruction?: string; backend?: string }): Set<string> {
    const stale = new Set([key]);
    for (let size = 0; size !== stale.size; ) {
      size = stale.size;
      for (const { spec } of this.all) if (spec.after.some((each) => stale.has(each))) stale.add(spec.key);
    }
    const redone = [
      this.tasks.get(key)!,
      ...this.all.filter((t) => t.spec.key !== key && stale.has(t.spec.key) && t.status !== 'dropped'),
    ];
    this.#stray(redone, id);
    for (const task of redone) Object.assign(task, { status: 'waiting', failure: null });
    const task = redone[0]!;
    task.spec = { ...task.spec, ...change };
    if (change.backend !== undefined) task.without = [];
    const keys = new Set(redone.map(({ spec }) => spec.key));
    this.undecided = this.undecided.filter((each) => !keys.has(each));
    return keys;
  }

  /** Keeps results and drops the rest of the plan. */
  redirect(id: string): void {
    this.#stray(this.all, id);
    this.tasks = new Map([...this.tasks].filter(([, { status }]) => status === 'returned'));
    this.undecided = [];
  }
}
