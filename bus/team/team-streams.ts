/**
 * The streams of a crew with roles. Nodes with the role `supervisor` make all of them when they start, also those that a crew of
 * one user makes on first use, because other nodes may not make any.
 */
import { type JetStreamManager, RetentionPolicy, StorageType } from '@nats-io/jetstream';
import { CoxError } from '../../platform/errors.ts';
import { openArtifactStream } from '../artifacts/artifact-stream.ts';
import type { Bus } from '../bus.ts';
import { openCostStream } from '../costs/cost-stream.ts';
import { isStreamNameInUse, isStreamNotFound } from '../jetstream-errors.ts';
import { openDeadStream } from '../queue/dead-letter-stream.ts';
import { retryRequest } from '../retry.ts';
import { openMemoryBucket } from '../shared-memory.ts';
import type { Subjects } from '../subjects.ts';

export async function openTeamStreams(bus: Bus): Promise<void> {
  const open = {
    members: openMembersStream,
    letters: openDeadStream,
    artifacts: openArtifactStream,
    costs: openCostStream,
    memory: openMemoryBucket,
  };
  await Promise.all(Object.entries(open).map(([name, make]) => retryRequest(bus, name, async () => void (await make(bus)))));
}

/** Keeps the last list of members, so that a node that starts learns who was invited and revoked meanwhile. */
export async function openMembersStream({ jsm, subjects }: { jsm: JetStreamManager; subjects: Subjects }): Promise<void> {
  try {
    await jsm.streams.add({
      name: subjects.crewStream,
      subjects: [subjects.members()],
      storage: StorageType.File,
      retention: RetentionPolicy.Limits,
      max_msgs_per_subject: 1,
    });
  } catch (cause) {
    // Its nodes have raised the number of its copies.
    if (!isStreamNameInUse(cause)) throw cause;
  }
}

/** @throws CoxError `no-streams` where no supervisor has ever started. */
export async function checkTeamStreams({ jsm, subjects }: Pick<Bus, 'jsm' | 'subjects'>): Promise<void> {
  try {
    await jsm.streams.info(subjects.crewStream);
  } catch (cause) {
    if (!isStreamNotFound(cause)) throw cause;
    throw new CoxError('no-streams', `The crew ${subjects.namespace} has no streams on this server yet`, {
      hint: 'Start a node whose member has the role supervisor first: it makes them.',
      cause,
    });
  }
}
