/**
 * The ledger of costs: one message for each tree that was purged (docs/adr/0043). It is written before the first record of the
 * tree is purged, and only if there is none yet, so each tree is in it exactly once, with all of its records.
 * Rule `purge` (docs/task-protocol.md).
 */
import { RetentionPolicy, StorageType } from '@nats-io/jetstream';
import { nanos } from '@nats-io/nats-core';
import type { Bus } from '../bus.ts';
import { isFull } from '../capacity/backpressure.ts';
import { infoIfThere } from '../capacity/stream-limits.ts';
import { isOutOfStorage, isStreamNameInUse, storageFailed } from '../jetstream-errors.ts';
import { scanStream } from '../log/stream-scan.ts';
import { TreeCosts } from '../messages.ts';
import { parseMessage } from '../parse-message.ts';
import { isTooBig, publish } from '../publish.ts';
import { copies } from '../replicas.ts';
import type { StateRecord } from '../state/state-record.ts';
import { doesChores } from '../team/chores.ts';
import { costsOf } from './tree-costs.ts';

/** How long the costs of a purged tree are kept, in days. */
export const keptDays = 400;

/** Creates the stream if there is none: with the first tree that was purged, in a crew with roles from the start. */
export async function openCostStream(bus: Bus): Promise<void> {
  if (!doesChores(bus)) return;
  const { jsm, subjects } = bus;
  const name = subjects.costStream;
  try {
    await jsm.streams.add({
      name,
      subjects: [subjects.costs('*')],
      storage: StorageType.File,
      retention: RetentionPolicy.Limits,
      max_msgs_per_subject: 1,
      max_age: nanos(keptDays * 86_400_000),
      num_replicas: await copies(bus),
    });
  } catch (cause) {
    // The stream exists, perhaps with fewer replicas than other streams have by now.
    if (!isStreamNameInUse(cause)) throw cause;
    const { config } = await jsm.streams.info(name);
    const wanted = await copies(bus);
    if (config.num_replicas < wanted) await jsm.streams.update(name, { num_replicas: wanted });
  }
}

/**
 * Writes the costs of a tree that is about to be purged, unless they are there.
 * @returns false if there is no room for them: the records must stay.
 */
export async function keepCosts(bus: Bus, root: string, records: readonly StateRecord[], signal?: AbortSignal): Promise<boolean> {
  const costs = costsOf(root, records);
  if (!costs) return true;
  const write = (it: TreeCosts) => publish(bus, bus.subjects.costs(root), JSON.stringify(it), firstOfAll, signal);
  try {
    await openCostStream(bus);
    await write(costs).catch((cause: unknown) => {
      if (!isTooBig(cause)) throw cause;
      return write({ ...costs, goal: '', lines: costs.lines.slice(0, 256) });
    });
    return true;
  } catch (cause) {
    if (!isFull(cause) && !isOutOfStorage(cause)) throw storageFailed('keep the costs of a tree', cause);
    bus.log.warn({ root, err: cause }, 'no room for the costs of a tree: its records stay');
    return false;
  }
}

/** A collection that was killed has written it from all records; a later one may find fewer. */
const firstOfAll = { expect: { lastSubjectSequence: 0 } };

/** The costs of all trees that were purged, by root. */
export async function keptCosts(bus: Bus, signal?: AbortSignal): Promise<Map<string, TreeCosts>> {
  const { subjects } = bus;
  const kept = new Map<string, TreeCosts>();
  if (!(await infoIfThere(bus, subjects.costStream))) return kept;
  const take = ({ subject, data }: { subject: string; data: Uint8Array }) => {
    const costs = parseMessage(TreeCosts, data);
    // A message under the name of another tree is a stranger's.
    if (costs && subject === subjects.costs(costs.root)) kept.set(costs.root, costs);
  };
  await scanStream(bus, subjects.costStream, { filter_subjects: [subjects.costs('*')] }, take, signal);
  return kept;
}
