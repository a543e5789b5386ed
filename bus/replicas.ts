/**
 * Copies of the streams on the servers of a cluster. Nodes set their number from the roster; other clients leave it unchanged.
 * Rule `durability` (docs/task-protocol.md).
 */
import { CoxError, messageOf } from '../platform/errors.ts';
import type { Bus } from './bus.ts';
import { isNotClustered, isStreamNotFound, lacksPeers } from './jetstream-errors.ts';
import { pause } from './pause.ts';
import { retryRequest } from './retry.ts';
import { setUpStreams } from './streams.ts';

/** Polling interval in ms. The server sends no event when a copy is complete. */
const pollMs = 50;

/**
 * Raises the number of copies of every stream of the namespace to `replicas`. It never lowers the number: if two rosters differ,
 * the higher number wins. An operator lowers it with `nats stream edit`. A consumer has as many copies as its stream. Resolves
 * when every copy on a reachable server is complete and these are a majority.
 * @throws CoxError `nats-no-cluster`, `nats-too-few-servers`.
 */
export async function replicate(bus: Bus, replicas: number): Promise<void> {
  if (replicas === 1) return;
  try {
    await retryRequest(bus, 'copies of the streams', () => setUpStreams(bus, { replicas }));
    const { memoryBucket, artifactStream, costStream, crewStream } = bus.subjects;
    for (const name of [`KV_${memoryBucket}`, artifactStream, costStream, crewStream])
      await retryRequest(bus, `copies of ${name}`, () => replicateIfThere(bus, name, replicas));
  } catch (cause) {
    throw refusal(cause, replicas) ?? cause;
  }
  const { workStream, logStream, timerStream, talkStream, stateBucket } = bus.subjects;
  for (const stream of [workStream, logStream, timerStream, talkStream, `KV_${stateBucket}`]) await isCopied(bus, stream);
}

/**
 * Resolves when all copies of a stream are complete, except those on servers that are away, and a majority is there. Until then,
 * the loss of the one server that has a complete copy would lose the stream, so a node does not start work earlier.
 */
async function isCopied(bus: Bus, stream: string): Promise<void> {
  for (;;) {
    const { cluster, config } = await retryRequest(bus, stream, () => bus.jsm.streams.info(stream));
    const others = cluster?.replicas ?? [];
    const complete = others.filter(({ current, offline }) => current && !offline).length + 1;
    const isReplicated = others.length + 1 === config.num_replicas && others.every(({ current, offline }) => current || offline);
    if (cluster?.leader && isReplicated && complete > config.num_replicas / 2) return;
    await pause(pollMs);
  }
}

/** Number of copies of the state bucket. Streams that are created later get the same number. */
export const copies = async ({ jsm, subjects }: Bus): Promise<number> =>
  (await jsm.streams.info(`KV_${subjects.stateBucket}`)).config.num_replicas;

/** The memory and the artifacts are created on first use, and the list of members by crews with roles, so they may not exist. */
async function replicateIfThere({ jsm }: Bus, name: string, replicas: number): Promise<void> {
  try {
    const { config } = await jsm.streams.info(name);
    if (config.num_replicas < replicas) await jsm.streams.update(name, { num_replicas: replicas });
  } catch (cause) {
    if (!isStreamNotFound(cause)) throw cause;
  }
}

/** The error for the operator if the server cannot keep this many copies; null for other causes. */
function refusal(cause: unknown, replicas: number): CoxError | null {
  if (isNotClustered(cause))
    return new CoxError(
      'nats-no-cluster',
      `The roster asks for ${replicas} copies of the streams, but the NATS server is not part of a cluster`,
      {
        hint: 'Remove `bus.replicas` from the roster, or name a cluster in NATS_URL (docs/operations.md).',
        cause,
      },
    );
  if (lacksPeers(cause))
    return new CoxError(
      'nats-too-few-servers',
      `The NATS cluster has fewer than ${replicas} servers with enough space for the streams: ${messageOf(cause)}`,
      { hint: 'Start more servers of the cluster, or set a lower `bus.replicas` in the roster.', cause },
    );
  return null;
}
