/**
 * Which trees are finished, since when, and how large they are. A tree is finished when every record of it is `done` (or stands for no task:
 * `unborn`); that never changes back, so a look at the bucket that is a little old does no harm. What is left of a tree whose root is gone,
 * and what stands on the log under ids that have no record at all, is finished too.
 */
import { DeliverPolicy } from '@nats-io/jetstream';
import type { Bus } from '../bus.ts';
import { scanStream, storedBytes } from '../log/stream-scan.ts';
import { type Entry, entriesOf } from '../state/records.ts';

export interface FinishedTree {
  /** First part of its ids: `k3xq`. */
  readonly root: string;
  readonly entries: readonly Entry[];
  /** The last write to any record of it, by the server's clock. */
  readonly at: Date;
  /** What it was asked to do; null where the root's record is gone or never was. */
  readonly instruction: string | null;
}

/** Every tree of the namespace, of which those that are not finished are only named. */
export interface Trees {
  readonly finished: FinishedTree[];
  readonly live: ReadonlySet<string>;
}

/** The first part of an id, or of what somebody took for one. */
export const rootIn = (tokens: string): string => tokens.split('.', 1)[0]!;

export async function findTrees(bus: Bus): Promise<Trees> {
  const { entries, unread } = await entriesOf(bus, '>');
  // Written while the pass was on its way: judged by the next one.
  const live = new Set(unread.map(rootIn));
  const byRoot = new Map<string, Entry[]>();
  for (const entry of entries) {
    const root = rootIn(entry.key);
    const phase = entry.record?.id === entry.key ? entry.record.phase : 'unreadable';
    if (phase !== 'done' && phase !== 'unborn') live.add(root);
    byRoot.set(root, [...(byRoot.get(root) ?? []), entry]);
  }
  const finished = [...byRoot]
    .filter(([root]) => !live.has(root))
    .map(([root, of]) => ({
      root,
      entries: of,
      at: new Date(Math.max(...of.map(({ storedAt }) => storedAt.getTime()))),
      instruction: of.find(({ key, record }) => key === `${root}.0` && record?.phase === 'done')?.record?.instruction ?? null,
    }))
    .sort((a, b) => a.at.getTime() - b.at.getTime());
  return { finished, live };
}

/** Bytes that each of the trees takes up, log and records together. One pass over the heads of the log. */
export async function sizesOf(bus: Bus, trees: readonly FinishedTree[], signal?: AbortSignal): Promise<Map<string, number>> {
  const sizes = new Map(trees.map(({ root, entries }) => [root, entries.reduce((sum, { bytes }) => sum + bytes, 0)]));
  const { subjects } = bus;
  if (sizes.size === 0) return sizes;
  await scanStream(
    bus,
    subjects.logStream,
    { headers_only: true, deliver_policy: DeliverPolicy.All },
    (message) => {
      const root = rootIn(subjects.parse(message.subject)?.tokens ?? '');
      const before = sizes.get(root);
      if (before !== undefined) sizes.set(root, before + storedBytes(message));
    },
    signal,
  );
  return sizes;
}
