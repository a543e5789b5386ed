/**
 * The tree of one goal, kept up to date: loaded once, changed by each status of its tasks, and loaded again when a task appears
 * that it does not have, or after a reconnection. However many statuses come, the rows change once a frame.
 */
import { type Signal, signal } from '@preact/signals';
import type { Status } from '../../../bus/messages.ts';
import { onFrame } from './frame.ts';
import { nameOf, type Row, withStatus } from './goal-tree.ts';
import { ask, fresh, listen } from './link.ts';
import type { TreeReply } from './replies.ts';

export interface GoalStore {
  readonly rows: Signal<readonly Row[] | null>;
  readonly error: Signal<string | null>;
  readonly again: () => void;
  /** @returns a function that ends it. */
  readonly start: () => () => void;
}

/** The tree is loaded at most once in this time, in ms, however fast it grows. */
const leastMs = 700;
/** A load that failed is tried again after this time, in ms. */
const retryMs = 3_000;

export function goalStore(goal: string): GoalStore {
  const rows = signal<readonly Row[] | null>(null);
  const error = signal<string | null>(null);
  /** The last status of each task that no frame has shown yet. */
  let news = new Map<string, Status>();
  /** The number of the last commit that is known of each task: a reply may be older than a status that came before it. */
  const commits = new Map<string, Status>();
  let at = new Map<string, number>();
  let timer: ReturnType<typeof setTimeout> | null = null;
  let loading = false;
  let wanted = false;
  let stopped = false;

  const show = (next: readonly Row[]) => {
    at = new Map(next.flatMap(({ id }, index) => (id === null ? [] : [[id, index] as const])));
    rows.value = next;
  };
  const again = () => {
    wanted = true;
    timer ??= setTimeout(load, rows.peek() === null ? 0 : leastMs);
  };
  const load = async () => {
    timer = null;
    if (loading || stopped) return;
    loading = true;
    wanted = false;
    try {
      const found: Row[] = [];
      for (let after: string | null = null; ; ) {
        const reply: TreeReply = await ask<TreeReply>('tree', { task: goal, ...(after !== null && { after }) });
        found.push(...reply.nodes.map((node) => ({ ...node, name: nameOf(node) })));
        after = reply.next;
        if (after === null) break;
      }
      // A status that came while the tree was read may be newer than its row.
      show(found.map((row) => newest(row, row.id === null ? undefined : commits.get(row.id))));
      error.value = null;
    } catch (cause) {
      error.value = cause instanceof Error ? cause.message : String(cause);
      if (!stopped) timer ??= setTimeout(load, retryMs);
    }
    loading = false;
    if (wanted && !stopped) again();
  };
  const apply = () => {
    const told = news;
    news = new Map();
    const before = rows.peek();
    if (before === null || told.size === 0) return;
    const next = [...before];
    for (const [id, status] of told) {
      const index = at.get(id);
      if (index === undefined) again();
      else next[index] = withStatus(next[index]!, status);
    }
    rows.value = next;
  };
  const hear = (message: unknown) => {
    const status = message as Status;
    if (typeof status.id !== 'string' || typeof status.commit !== 'number' || !status.usage) return;
    const known = commits.get(status.id);
    if (known && known.commit >= status.commit) return;
    commits.set(status.id, status);
    news.set(status.id, status);
    // A supervisor has dispatched or dropped nodes of its plan, whose rows come with the tree.
    if (status.subTasks && JSON.stringify(status.subTasks) !== JSON.stringify(known?.subTasks)) again();
    onFrame(apply);
  };
  const start = () => {
    stopped = false;
    const stops = [listen(`tasks.${goal.split('.')[0]}.*.status`, hear), fresh.subscribe(again)];
    return () => {
      stopped = true;
      if (timer) clearTimeout(timer);
      timer = null;
      for (const stop of stops) stop();
    };
  };
  return { rows, error, again, start };
}

const newest = (row: Row, status: Status | undefined): Row =>
  status && status.at > (row.updatedAt ?? '') ? withStatus(row, status) : row;
