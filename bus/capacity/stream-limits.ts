/** How large the streams may grow, and how full they are. A full stream refuses what is new; it never drops what it has (line 15). */
import { JetStreamApiError } from '@nats-io/jetstream';
import { CoxError } from '../../platform/errors.ts';
import type { Bus } from '../bus.ts';
import { retryRequest } from '../retry.ts';

/**
 * Sets what the log, the queue and the state may each hold. The timers are left out: the server schedules messages only in streams that drop
 * old ones when they are full (docs/adr/0007), and each task has but one.
 * @param bytes null: no limit of their own; what an operator has set by hand stays.
 * @throws CoxError `stream-size` where the server has no such room.
 */
export async function limitStreams(bus: Bus, bytes: number | null, signal?: AbortSignal): Promise<void> {
  if (bytes === null) return;
  await Promise.all(
    limited(bus).map(({ stream }) =>
      retryRequest(
        bus,
        stream,
        async () => {
          const { config } = await bus.jsm.streams.info(stream);
          if (config.max_bytes !== bytes) await bus.jsm.streams.update(stream, { max_bytes: bytes });
        },
        signal,
      ),
    ),
  ).catch((cause: unknown) => {
    if (!(cause instanceof JetStreamApiError)) throw cause;
    throw new CoxError('stream-size', `The NATS server does not give the streams ${bytes} bytes each: ${cause.message}`, {
      hint: 'Make retention.stream_size of the roster smaller, or max_file_store of the server larger.',
      cause,
    });
  });
}

export interface Fullness {
  /** For an operator: `log`, `queue`, `state`, `server`. */
  readonly name: string;
  readonly bytes: number;
  readonly maxBytes: number;
  /** Nothing of the size of an ordinary message fits any more. */
  readonly isFull: boolean;
}

/** Most statuses and small records take less. */
const ordinaryBytes = 2_000;
/** From here on there is too little room to count on. */
const nearly = 0.9;

/** @param maxBytes negative: no limit. */
export const fullnessOf = (name: string, bytes: number, maxBytes: number): Fullness => ({
  name,
  bytes,
  maxBytes,
  isFull: maxBytes >= 0 && bytes + ordinaryBytes > maxBytes,
});

export const isNearlyFull = ({ bytes, maxBytes, isFull }: Fullness): boolean =>
  isFull || (maxBytes >= 0 && bytes > nearly * maxBytes);

/** The streams that are full or nearly so, by their own limit. The server's limit, and its disk, show only in what it refuses. */
export async function fullStreams(bus: Bus, signal?: AbortSignal): Promise<Fullness[]> {
  const all = await Promise.all(
    limited(bus).map(async ({ name, stream }) => {
      const { config, state } = await retryRequest(bus, stream, () => bus.jsm.streams.info(stream), signal);
      return fullnessOf(name, state.bytes, config.max_bytes);
    }),
  );
  return all.filter(isNearlyFull);
}

const limited = ({ subjects }: Bus) => [
  { name: 'log', stream: subjects.logStream },
  { name: 'queue', stream: subjects.workStream },
  { name: 'state', stream: `KV_${subjects.stateBucket}` },
];
