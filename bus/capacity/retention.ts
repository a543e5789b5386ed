/**
 * Retention (rule `retention`): logs have no age limit; finished trees are purged whole, by age and by size. Live trees stay:
 * - A tree is purged only when all its records are `done` or `unborn`. `done` never changes back.
 * - A tree stays while a ticket of one of its runs is not acked, or while a steer to it has no receipt.
 * - Each purge ends at the last sequence that was looked at. A message that comes later stays for a later collection.
 * The artifacts and the log are purged first, then the costs of the tree are kept (docs/adr/0043), and the root's record is purged
 * last. After a crash the next collection therefore finds the rest, and none of it can run: a ticket without a record and a live
 * parent starts nothing (rule `planned-child`). Ages are by the server's clock. Several collections at once are harmless.
 * Rule `purge` (docs/task-protocol.md).
 */
import { crashPoint } from '../../platform/crash-point.ts';
import type { Bus } from '../bus.ts';
import { keepCosts } from '../costs/cost-stream.ts';
import { storageFailed } from '../jetstream-errors.ts';
import { lastMessage } from '../leader-reads.ts';
import { retryRequest } from '../retry.ts';
import type { Entry } from '../state/all-records.ts';
import { replaceState } from '../state/state-store.ts';
import { isTaskId } from '../task-id.ts';
import { isFull } from './backpressure.ts';
import { type FinishedTree, findTrees, rootIn, sizesOf } from './finished-trees.ts';
import { infoIfThere } from './stream-limits.ts';

export interface Keep {
  /** How long a finished tree is kept, in ms; null: trees are not purged by age. */
  readonly finishedAfterMs: number | null;
  /** Total size of all finished trees, in bytes, above which the oldest are purged; null: no limit. */
  readonly finishedBytes: number | null;
}

export interface PurgedTree {
  readonly root: string;
  readonly tasks: number;
  /** Approximate size; log, artifacts and records together. */
  readonly bytes: number;
  /** Instruction of the root task; null if the root had no record. */
  readonly instruction: string | null;
  readonly finishedAt: string;
  readonly why: 'age' | 'size';
}

export interface Collected {
  /** Oldest first. With `dryRun`: the trees that would be purged. */
  readonly purged: readonly PurgedTree[];
  /**
   * Number of messages of the log and the artifacts that were purged under ids without a record: old tombstones and leftovers of
   * crashes. With `dryRun` it is the number of their subjects.
   */
  readonly strays: number;
  /** Size of all finished trees that stay, in bytes; null if the sizes were not needed. */
  readonly keptBytes: number | null;
}

export interface CollectOptions {
  readonly keep: Keep;
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Purges finished trees and stray log messages. Trees that were purged before an error stay purged.
 * @throws CoxError `storage-failed` if the server cannot purge; AbortError of `signal`.
 */
export async function collect(bus: Bus, { keep, dryRun = false, signal }: CollectOptions): Promise<Collected> {
  const { subjects } = bus;
  // The log is read before the records: a record precedes the messages of its task, so an id that has none now gets none later.
  const log = await infoOf(bus, subjects.logStream, subjects.everyMessage(), signal);
  const artifacts = await infoOf(bus, subjects.artifactStream, subjects.everyArtifact(), signal);
  const { finished, live } = await findTrees(bus);
  const trees = finished.filter(({ root }) => isTaskId(`${root}.0`));
  const oldest = keep.finishedAfterMs === null ? Number.NEGATIVE_INFINITY : log.at - keep.finishedAfterMs;
  const isOld = ({ at }: FinishedTree) => at.getTime() <= oldest;
  const records = await infoOf(bus, `KV_${subjects.stateBucket}`, null, signal);
  const allBytes = log.bytes + artifacts.bytes + records.bytes;
  const mayBeTooMuch = keep.finishedBytes !== null && allBytes > keep.finishedBytes;
  const sizes = mayBeTooMuch || trees.some(isOld) ? await sizesOf(bus, trees, artifacts.bytes > 0, signal) : null;
  let left = [...(sizes?.values() ?? [])].reduce((sum, bytes) => sum + bytes, 0);
  const artifactRoots = new Set(artifacts.subjects.map((subject) => subjects.parseArtifact(subject)));
  const purged: PurgedTree[] = [];
  for (const tree of trees) {
    const why = isOld(tree) ? 'age' : keep.finishedBytes !== null && left > keep.finishedBytes ? 'size' : null;
    if (why === null) break;
    if (!(await isAckedAndAnswered(bus, tree, signal))) continue;
    if (!dryRun && !(await purgeTree(bus, tree, log.lastSeq, artifactRoots.has(tree.root), signal))) continue;
    const { root, entries, at, instruction } = tree;
    const bytes = sizes?.get(root) ?? 0;
    left -= bytes;
    purged.push({ root, tasks: entries.length, bytes, instruction, finishedAt: at.toISOString(), why });
  }
  const known = new Set([...live, ...finished.map(({ root }) => root)]);
  const strays = await purgeStrays(bus, log.subjects, known, oldest, dryRun, signal);
  const parts = await purgeStrayArtifacts(bus, artifacts.subjects, known, oldest, dryRun, signal);
  return { purged, strays: strays + parts, keptBytes: sizes && left };
}

interface Info {
  /** The server's time, in ms since 1970. */
  readonly at: number;
  readonly bytes: number;
  readonly lastSeq: number;
  readonly subjects: readonly string[];
}

/** A stream that nothing has used yet is empty. */
async function infoOf(bus: Bus, stream: string, filter: string | null, signal?: AbortSignal): Promise<Info> {
  const options = filter === null ? undefined : { subjects_filter: filter };
  const found = await retryRequest(bus, stream, () => infoIfThere(bus, stream, options), signal);
  if (!found) return { at: 0, bytes: 0, lastSeq: 0, subjects: [] };
  const { state, ts } = found;
  return { at: Date.parse(ts!), bytes: state.bytes, lastSeq: state.last_seq, subjects: Object.keys(state.subjects ?? {}) };
}

/** Whether all tickets of the tree are acked (no worker publishes for it any more) and all steers to it have been taken. */
async function isAckedAndAnswered(bus: Bus, { root, entries }: FinishedTree, signal?: AbortSignal): Promise<boolean> {
  const { subjects, jsm } = bus;
  const steered = await infoOf(bus, subjects.logStream, subjects.every('steering', root), signal);
  const cursors = new Map(entries.map(({ key, record }) => [key, record?.steeringCursor ?? 0]));
  const isRead = async (subject: string) => {
    const last = await lastMessage(bus, subjects.logStream, subject);
    return !last || last.seq <= (cursors.get(subjects.parse(subject)?.tokens ?? '') ?? 0);
  };
  const isAcked = async ({ record }: Entry) =>
    !record?.ticketSeq ||
    (await retryRequest(
      bus,
      'a ticket',
      () => jsm.streams.getMessage(subjects.workStream, { seq: record.ticketSeq }),
      signal,
    )) === null;
  const answers = await Promise.all([...steered.subjects.map(isRead), ...entries.map(isAcked)]);
  return answers.every(Boolean);
}

/** @returns false if another process has written one of its records meanwhile, or there is no room for its costs. */
async function purgeTree(
  bus: Bus,
  { root, entries: found }: FinishedTree,
  logSeq: number,
  hasArtifacts: boolean,
  signal?: AbortSignal,
): Promise<boolean> {
  const { subjects } = bus;
  const bucket = `KV_${subjects.stateBucket}`;
  const key = (path: string) => `$KV.${subjects.stateBucket}.${path}`;
  const entries = await writtenTwice(bus, { root, entries: found }, signal);
  if (!entries) return false;
  if (hasArtifacts) await purge(bus, subjects.artifactStream, subjects.everyArtifact(root), null, signal);
  await purge(bus, subjects.logStream, subjects.everyMessage(root), logSeq, signal);
  await purge(bus, subjects.timerStream, subjects.timer(`${root}.*`, '*'), null, signal);
  // By now there is room for it, also on a full bus. Without it the records stay, and the next collection tries again.
  const records = entries.flatMap(({ record }) => (record && record.phase !== 'unborn' ? [record] : []));
  if (!(await keepCosts(bus, root, records, signal))) return false;
  // Nearly all records are older than the root's last write. One purge removes those; each later record needs a purge of its own.
  const top = entries.find((entry) => entry.key === `${root}.0`);
  const others = entries.filter((entry) => entry !== top);
  if (top && others.length > 0) await purge(bus, bucket, key(`${root}.*`), top.revision - 1, signal);
  for (const { key: id, revision } of others)
    if (!top || revision > top.revision) await purge(bus, bucket, key(id), revision, signal);
  if (top) await purge(bus, bucket, key(top.key), top.revision, signal);
  return true;
}

/**
 * Writes each record once more, unchanged, before the purge. A nats-server that is killed after a purge may bring back the value
 * before the last one of a key (docs/adr/0021). After this write that value is `done` too, and the next collection removes it.
 * @returns the entries with their new revisions; null if a compare-and-set was lost.
 */
async function writtenTwice(
  bus: Bus,
  { root, entries }: Pick<FinishedTree, 'root' | 'entries'>,
  signal?: AbortSignal,
): Promise<readonly Entry[] | null> {
  const again = async (entry: Entry): Promise<Entry | null> => {
    const { record } = entry;
    if (record?.phase !== 'done') return entry;
    try {
      const stored = await replaceState(bus, { record, revision: entry.revision }, record, signal);
      return stored && { ...entry, revision: stored.revision };
    } catch (cause) {
      // The bus is full, and the purge is what frees space on it.
      if (isFull(cause)) return entry;
      throw cause;
    }
  };
  // The root is written last, so that one purge can remove all records before it.
  const isTop = ({ key }: Entry) => key === `${root}.0`;
  const below = await Promise.all(entries.filter((entry) => !isTop(entry)).map(again));
  const top = await Promise.all(entries.filter(isTop).map(again));
  const all = [...below, ...top];
  return all.some((entry) => entry === null) ? null : (all as Entry[]);
}

/** @param upTo the last sequence that is purged; null: all are. @returns the number of purged messages. */
async function purge(bus: Bus, stream: string, filter: string, upTo: number | null, signal?: AbortSignal): Promise<number> {
  crashPoint('purge:before');
  const range = upTo === null ? {} : { seq: upTo + 1 };
  try {
    const { purged } = await retryRequest(bus, filter, () => bus.jsm.streams.purge(stream, { filter, ...range }), signal);
    crashPoint('purge:after');
    return purged;
  } catch (cause) {
    throw storageFailed(`purge ${filter}`, cause);
  }
}

/** Purges the log messages of each id that has no record, once all of them are old and every steer among them is answered. */
async function purgeStrays(
  bus: Bus,
  onLog: readonly string[],
  known: ReadonlySet<string>,
  oldest: number,
  dryRun: boolean,
  signal?: AbortSignal,
): Promise<number> {
  const { subjects } = bus;
  const strays = new Map<string, string[]>();
  for (const subject of onLog) {
    const parsed = subjects.parse(subject);
    // A stranger may have published to a token with a wildcard in it. As a filter it would purge other tasks too.
    if (!parsed || /[*>]/.test(parsed.tokens) || known.has(rootIn(parsed.tokens))) continue;
    strays.set(parsed.tokens, [...(strays.get(parsed.tokens) ?? []), subject]);
  }
  let gone = 0;
  for (const [tokens, group] of strays) {
    const last = await Promise.all(group.map((subject) => lastMessage(bus, subjects.logStream, subject)));
    const seqOf = (channel: string) => last.find((message) => message?.subject.endsWith(`.${channel}`))?.seq ?? 0;
    const isDue = last.every((message) => !message || message.time.getTime() <= oldest);
    if (!isDue || seqOf('steering') > seqOf('status')) continue;
    const upTo = Math.max(...last.map((message) => message?.seq ?? 0));
    gone += dryRun ? group.length : await purge(bus, subjects.logStream, `${subjects.namespace}.tasks.${tokens}.*`, upTo, signal);
  }
  return gone;
}

/** Purges the artifacts of each tree that has no record, once all of them are old: a worker that was lost may have kept them. */
async function purgeStrayArtifacts(
  bus: Bus,
  kept: readonly string[],
  known: ReadonlySet<string>,
  oldest: number,
  dryRun: boolean,
  signal?: AbortSignal,
): Promise<number> {
  const { subjects } = bus;
  const strays = Map.groupBy(kept, (subject) => subjects.parseArtifact(subject));
  let gone = 0;
  for (const [root, group] of strays) {
    if (root === null || /[*>]/.test(root) || known.has(root)) continue;
    const last = await lastMessage(bus, subjects.artifactStream, subjects.everyArtifact(root));
    if (!last || last.time.getTime() > oldest) continue;
    gone += dryRun ? group.length : await purge(bus, subjects.artifactStream, subjects.everyArtifact(root), last.seq, signal);
  }
  return gone;
}
