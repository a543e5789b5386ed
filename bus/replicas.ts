/**
 * Copies of the streams on the servers of a cluster. Asked for by nodes, from their roster; everybody else leaves what is there.
 * Rule `durability` (docs/task-protocol.md).
 */
import { CoxError, messageOf } from '../platform/errors.ts';
import type { Bus } from './bus.ts';
import { isNotClustered, isStreamNotFound, lacksPeers } from './jetstream-errors.ts';
import { pause } from './pause.ts';
import { retryRequest } from './retry.ts';
import { setUpStreams } from './streams.ts';

/** The server tells nobody when a copy is complete. */
const pollMs = 50;

/**
 * Brings every stream of the namespace up to so many copies. Never down: of two nodes with different rosters the more careful one wins, and
 * an operator who wants fewer says so to the server (`nats stream edit`). Consumers have as many copies as their stream.
 * Resolves when most copies are complete.
 * @throws CoxError `nats-no-cluster`, `nats-too-few-servers`.
 */
export async function replicate(bus: Bus, replicas: number): Promise<void> {
  if (replicas === 1) return;
  try {
    await retryRequest(bus, 'copies of the streams', () => setUpStreams(bus, { replicas }));
    await retryRequest(bus, 'copies of the memory', () => replicateMemory(bus, replicas));
  } catch (cause) {
    throw refusal(cause, replicas) ?? cause;
  }
  const { workStream, logStream, timerStream, stateBucket } = bus.subjects;
  for (const stream of [workStream, logStream, timerStream, `KV_${stateBucket}`]) await isCopied(bus, stream);
}

/**
 * A stream that is being copied is lost with the one server that has it: work begins once all copies are complete, but those on servers that
 * are away; most must be there.
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

/** How many copies there are of the state: what is made later gets as many. */
export const copies = async ({ jsm, subjects }: Bus): Promise<number> =>
  (await jsm.streams.info(`KV_${subjects.stateBucket}`)).config.num_replicas;

/** The memory is made on first use, so it may not be there yet. */
async function replicateMemory({ jsm, subjects }: Bus, replicas: number): Promise<void> {
  const name = `KV_${subjects.memoryBucket}`;
  try {
    const { config } = await jsm.streams.info(name);
    if (config.num_replicas < replicas) await jsm.streams.update(name, { num_replicas: replicas });
  } catch (cause) {
    if (!isStreamNotFound(cause)) throw cause;
  }
}

/** The words for an operator where the server cannot keep this many copies; null for other errors. */
function refusal(cause: unknown, replicas: number): CoxError | null {
  if (isNotClustered(cause))
    return new CoxError(
      'nats-no-cluster',
      `The roster wants ${replicas} copies of the streams, and the NATS server is no cluster`,
      {
        hint: 'Leave `bus.replicas` out of the roster, or name a cluster in NATS_URL (docs/operations.md).',
        cause,
      },
    );
  if (lacksPeers(cause))
    return new CoxError(
      'nats-too-few-servers',
      `The NATS cluster has no ${replicas} servers with room for a copy of the streams: ${messageOf(cause)}`,
      { hint: 'Start more servers of the cluster, or ask for fewer copies in `bus.replicas` of the roster.', cause },
    );
  return null;
}
