/**
 * Finds the finished trees, their age and their size. A tree is finished when each of its records is `done` or `unborn` (there is
 * no task). A finished tree stays finished, so a view of the bucket that is a little old does no harm. Records of a tree whose
 * root is gone count as finished too, and so do log messages under ids that have no record.
 * Rules `purge` and `retention` (docs/task-protocol.md).
 */
import { DeliverPolicy } from '@nats-io/jetstream';
import type { Bus } from '../bus.ts';
import { scanStream } from '../log/stream-scan.ts';
import { type Entry, entriesOf } from '../state/all-records.ts';
import { storedBytes } from './stream-limits.ts';

export interface FinishedTree {
  /** First part of its task ids, e.g. `k3xq`. */
  readonly root: string;
  readonly entries: readonly Entry[];
  /** Time of the last write to any of its records, by the server's clock. */
  readonly at: Date;
  /** Instruction of the root task; null if the root has no record. */
  readonly instruction: string | null;
}

/** All trees of the namespace. A live tree is given only by its root. */
export interface Trees {
  readonly finished: FinishedTree[];
  readonly live: ReadonlySet<string>;
}

/** The first part of an id. The tokens of a subject that is no valid id have one too. */
export const rootIn = (tokens: string): string => tokens.split('.', 1)[0]!;

export async function findTrees(bus: Bus): Promise<Trees> {
  const { entries, unread } = await entriesOf(bus, '>');
  // These keys were written during the scan, so the next collection judges them.
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

/** Size of each tree in bytes, log, artifacts and records together, by root. Scans the headers of log and artifacts once. */
export async function sizesOf(
  bus: Bus,
  trees: readonly FinishedTree[],
  hasArtifacts: boolean,
  signal?: AbortSignal,
): Promise<Map<string, number>> {
  const sizes = new Map(trees.map(({ root, entries }) => [root, entries.reduce((sum, { bytes }) => sum + bytes, 0)]));
  const { subjects } = bus;
  if (sizes.size === 0) return sizes;
  const scan = (stream: string, rootOf: (subject: string) => string) =>
    scanStream(
      bus,
      stream,
      { headers_only: true, deliver_policy: DeliverPolicy.All },
      (message) => {
        const root = rootOf(message.subject);
        const before = sizes.get(root);
        if (before !== undefined) sizes.set(root, before + storedBytes(message));
      },
      signal,
    );
  await scan(subjects.logStream, (subject) => rootIn(subjects.parse(subject)?.tokens ?? ''));
  if (hasArtifacts) await scan(subjects.artifactStream, (subject) => subjects.parseArtifact(subject) ?? '');
  return sizes;
}
