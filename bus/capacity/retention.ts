/**
 * Retention (PROTOCOL line 15): logs have no age limit; finished trees are purged whole, by age and by size. Nothing live is ever dropped:
 * - Only what is `done` goes, and `done` never changes back. A tree with one record that is anything else stays, however old or large.
 * - A tree stays while a ticket of one of its runs is not acked yet, or a steer to it has no receipt yet.
 * - Each purge ends at what was looked at: a message that comes meanwhile stays, and finds no task or a later collection.
 * Logs go first, the root's record very last, so that whatever a crash leaves is found by the next collection and can't run: a ticket
 * without a state and a live parent starts nothing (line 15). Ages are the server's: no node's clock counts. Several at once do no harm.
 */
import { JetStreamApiError } from '@nats-io/jetstream';
import { crashPoint } from '../../platform/crash-point.ts';
import { CoxError } from '../../platform/errors.ts';
import type { Bus } from '../bus.ts';
import { lastMessage } from '../leader-reads.ts';
import { retryRequest } from '../retry.ts';
import type { Entry } from '../state/records.ts';
import { replaceState } from '../state/state-store.ts';
import { isTaskId } from '../task-id.ts';
import { isFull } from './backpressure.ts';
import { type FinishedTree, findTrees, rootIn, sizesOf } from './finished-trees.ts';

export interface Keep {
  /** Milliseconds that a finished tree is kept; null: as long as there is room. */
  readonly finishedAfterMs: number | null;
  /** Bytes that all finished trees may take up together, then the oldest go; null: no limit. */
  readonly finishedBytes: number | null;
}

export interface PurgedTree {
  readonly root: string;
  readonly tasks: number;
  /** About what it took up, log and records together. */
  readonly bytes: number;
  /** Null where nothing but leftovers was there. */
  readonly instruction: string | null;
  readonly finishedAt: string;
  readonly why: 'age' | 'size';
}

export interface Collected {
  /** Oldest first. With `dryRun`: what would have gone. */
  readonly purged: readonly PurgedTree[];
  /** Messages on the log of ids that have no record: old tombstones, and what crashes have left. */
  readonly strays: number;
  /** What all finished trees that stay take up; null where nobody had to look. */
  readonly keptBytes: number | null;
}

export interface CollectOptions {
  readonly keep: Keep;
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
}

/** @throws CoxError `storage-failed` where the server cannot; AbortError. What is purged by then stays purged. */
export async function collect(bus: Bus, { keep, dryRun = false, signal }: CollectOptions): Promise<Collected> {
  const { subjects } = bus;
  // Before the records are read: an id on the log that has no record then has none for good, since the record comes first.
  const log = await infoOf(bus, subjects.logStream, subjects.everyMessage(), signal);
  const { finished, live } = await findTrees(bus);
  const trees = finished.filter(({ root }) => isTaskId(`${root}.0`));
  const oldest = keep.finishedAfterMs === null ? Number.NEGATIVE_INFINITY : log.at - keep.finishedAfterMs;
  const isOld = ({ at }: FinishedTree) => at.getTime() <= oldest;
  const records = await infoOf(bus, `KV_${subjects.stateBucket}`, null, signal);
  const mayBeTooMuch = keep.finishedBytes !== null && log.bytes + records.bytes > keep.finishedBytes;
  const sizes = mayBeTooMuch || trees.some(isOld) ? await sizesOf(bus, trees, signal) : null;
  let left = [...(sizes?.values() ?? [])].reduce((sum, bytes) => sum + bytes, 0);
  const purged: PurgedTree[] = [];
  for (const tree of trees) {
    const why = isOld(tree) ? 'age' : keep.finishedBytes !== null && left > keep.finishedBytes ? 'size' : null;
    if (why === null) break;
    if (!(await isAckedAndAnswered(bus, tree, signal))) continue;
    if (!dryRun && !(await purgeTree(bus, tree, log.lastSeq, signal))) continue;
    const { root, entries, at, instruction } = tree;
    const bytes = sizes?.get(root) ?? 0;
    left -= bytes;
    purged.push({ root, tasks: entries.length, bytes, instruction, finishedAt: at.toISOString(), why });
  }
  const known = new Set([...live, ...finished.map(({ root }) => root)]);
  const strays = await purgeStrays(bus, log.subjects, known, oldest, dryRun, signal);
  return { purged, strays, keptBytes: sizes && left };
}

interface Info {
  /** The server's time, in milliseconds. */
  readonly at: number;
  readonly bytes: number;
  readonly lastSeq: number;
  readonly subjects: readonly string[];
}

async function infoOf(bus: Bus, stream: string, filter: string | null, signal?: AbortSignal): Promise<Info> {
  const options = filter === null ? undefined : { subjects_filter: filter };
  const { state, ts } = await retryRequest(bus, stream, () => bus.jsm.streams.info(stream, options), signal);
  return { at: Date.parse(ts!), bytes: state.bytes, lastSeq: state.last_seq, subjects: Object.keys(state.subjects ?? {}) };
}

/** Its runs are acked, so that no worker is still telling of it, and whoever steered it has had an answer. */
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

/** @returns false where somebody else is at it. */
async function purgeTree(
  bus: Bus,
  { root, entries: found }: FinishedTree,
  logSeq: number,
  signal?: AbortSignal,
): Promise<boolean> {
  const { subjects } = bus;
  const bucket = `KV_${subjects.stateBucket}`;
  const key = (path: string) => `$KV.${subjects.stateBucket}.${path}`;
  const entries = await writtenTwice(bus, { root, entries: found }, signal);
  if (!entries) return false;
  await purge(bus, subjects.logStream, subjects.everyMessage(root), logSeq, signal);
  await purge(bus, subjects.timerStream, subjects.timer(`${root}.*`, '*'), null, signal);
  // The root's last write is later than nearly every other: one purge takes all records before it, the others go one by one.
  const top = entries.find((entry) => entry.key === `${root}.0`);
  const others = entries.filter((entry) => entry !== top);
  if (top && others.length > 0) await purge(bus, bucket, key(`${root}.*`), top.revision - 1, signal);
  for (const { key: id, revision } of others)
    if (!top || revision > top.revision) await purge(bus, bucket, key(id), revision, signal);
  if (top) await purge(bus, bucket, key(top.key), top.revision, signal);
  return true;
}

/**
 * A nats-server that is killed after a purge may bring back what the last value of a key had displaced (docs/adr/0021). So the last value is
 * written once more before it goes: what may come back then is `done` as well, and goes with the next collection.
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
      // Where there is no room the purge is to make some.
      if (isFull(cause)) return entry;
      throw cause;
    }
  };
  // The root's last: one purge takes all that is before it.
  const isTop = ({ key }: Entry) => key === `${root}.0`;
  const below = await Promise.all(entries.filter((entry) => !isTop(entry)).map(again));
  const top = await Promise.all(entries.filter(isTop).map(again));
  const all = [...below, ...top];
  return all.some((entry) => entry === null) ? null : (all as Entry[]);
}

/** @param upTo the last sequence that goes; null: all. */
async function purge(bus: Bus, stream: string, filter: string, upTo: number | null, signal?: AbortSignal): Promise<number> {
  crashPoint('purge:before');
  const range = upTo === null ? {} : { seq: upTo + 1 };
  try {
    const { purged } = await retryRequest(bus, filter, () => bus.jsm.streams.purge(stream, { filter, ...range }), signal);
    crashPoint('purge:after');
    return purged;
  } catch (cause) {
    // To drop messages the server writes too, a little.
    if (!(cause instanceof JetStreamApiError)) throw cause;
    throw new CoxError('storage-failed', `The NATS server could not purge ${filter}: ${cause.message}`, {
      hint: 'Where its disk is full, free some space by other means first, then restart nats-server (docs/operations.md).',
      cause,
    });
  }
}

/** Ids on the log that no record knows: they go when all that was said there is old, and every steer among it was answered. */
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
    // A wildcard that somebody took for a name would purge much more than that.
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
