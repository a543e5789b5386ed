/**
 * The stream of the artifacts (docs/adr/0024). It is created with the first artifact, so that a crew whose tasks replace nothing
 * does not start slower. Every subject begins with the id of a task, so one purge removes the artifacts of a tree, also the parts
 * that a writer left without a head when it died.
 */
import { DiscardPolicy, RetentionPolicy, StorageType, StoreCompression } from '@nats-io/jetstream';
import type { Bus } from '../bus.ts';
import { isStreamNameInUse } from '../jetstream-errors.ts';
import { doesChores } from '../team/chores.ts';

/** Artifacts are written once under a subject; of a state that is kept (kept-state.ts) only the last counts. */
const max_msgs_per_subject = 1;

/** Creates the stream if it is missing, with as many copies and the same size limit as the state records. */
export async function openArtifactStream(bus: Bus): Promise<void> {
  if (!doesChores(bus)) return;
  const { jsm, subjects } = bus;
  const name = subjects.artifactStream;
  const { num_replicas, max_bytes } = (await jsm.streams.info(`KV_${subjects.stateBucket}`)).config;
  try {
    await jsm.streams.add({
      name,
      subjects: [subjects.everyArtifact()],
      storage: StorageType.File,
      retention: RetentionPolicy.Limits,
      discard: DiscardPolicy.New,
      max_msgs_per_subject,
      compression: StoreCompression.S2,
      num_replicas,
      max_bytes,
    });
  } catch (cause) {
    // The stream exists, perhaps with fewer copies or another limit than the other streams have by now.
    if (!isStreamNameInUse(cause)) throw cause;
    const { config } = await jsm.streams.info(name);
    if (config.num_replicas < num_replicas || config.max_msgs_per_subject !== max_msgs_per_subject)
      await jsm.streams.update(name, { num_replicas: Math.max(num_replicas, config.num_replicas), max_msgs_per_subject });
  }
}
