/** Size limits and fill levels of the streams. A full stream refuses new messages and keeps old ones (rule `backpressure`). */
import { JetStreamApiError, type JsMsg, type StreamInfo, type StreamInfoRequestOptions } from '@nats-io/jetstream';
import { CoxError } from '../../platform/errors.ts';
import type { Bus } from '../bus.ts';
import { isStreamNotFound } from '../jetstream-errors.ts';
import { retryRequest } from '../retry.ts';

/**
 * Sets the size limit of the log, the work queue, the state bucket and the artifacts. The timers have no limit: the server
 * schedules messages only in streams that drop old ones when they are full (docs/adr/0007), and each task has only one timer.
 * @param bytes limit of each stream; null: the limits stay as they are, also those that an operator has set by hand.
 * @throws CoxError `stream-size` if the server does not accept the limit.
 */
export async function limitStreams(bus: Bus, bytes: number | null, signal?: AbortSignal): Promise<void> {
  if (bytes === null) return;
  await Promise.all(
    limited(bus).map(({ stream }) =>
      retryRequest(
        bus,
        stream,
        async () => {
          const found = await infoIfThere(bus, stream);
          if (found && found.config.max_bytes !== bytes) await bus.jsm.streams.update(stream, { max_bytes: bytes });
        },
        signal,
      ),
    ),
  ).catch((cause: unknown) => {
    if (!(cause instanceof JetStreamApiError)) throw cause;
    throw new CoxError('stream-size', `The NATS server refused a limit of ${bytes} bytes for each stream: ${cause.message}`, {
      hint: 'Lower retention.stream_size in the roster, or raise max_file_store of the server.',
      cause,
    });
  });
}

export interface Fullness {
  /** As shown to operators: `log`, `queue`, `state`, `artifacts` or `server`. */
  readonly name: string;
  readonly bytes: number;
  readonly maxBytes: number;
  /** A message of ordinary size does not fit any more. */
  readonly isFull: boolean;
}

/** Most statuses and small records are smaller. */
const ordinaryBytes = 2_000;
/** A stream counts as nearly full above this part of its limit. */
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

/** The streams that are full or nearly full by their own limits. A full server or a full disk shows only in refused writes. */
export async function fullStreams(bus: Bus, signal?: AbortSignal): Promise<Fullness[]> {
  const all = await Promise.all(
    limited(bus).map(async ({ name, stream }) => {
      const found = await retryRequest(bus, stream, () => infoIfThere(bus, stream), signal);
      return found ? [fullnessOf(name, found.state.bytes, found.config.max_bytes)] : [];
    }),
  );
  return all.flat().filter(isNearlyFull);
}

/** @returns null for a stream that does not exist, because nothing has used it yet. */
export async function infoIfThere(
  { jsm }: Bus,
  stream: string,
  options?: Partial<StreamInfoRequestOptions>,
): Promise<StreamInfo | null> {
  try {
    return await jsm.streams.info(stream, options);
  } catch (cause) {
    if (isStreamNotFound(cause)) return null;
    throw cause;
  }
}

const limited = ({ subjects }: Bus) => [
  { name: 'log', stream: subjects.logStream },
  { name: 'queue', stream: subjects.workStream },
  { name: 'state', stream: `KV_${subjects.stateBucket}` },
  { name: 'artifacts', stream: subjects.artifactStream },
];

/**
 * Number of bytes that a message takes up in the server's file store: frame, subject, headers and payload. A consumer with
 * `headers_only` gives the size of the payload in the header `Nats-Msg-Size`.
 */
export function storedBytes({ subject, headers, data }: JsMsg): number {
  const sizeOnly = headers?.get('Nats-Msg-Size');
  const names = (headers?.keys() ?? []).filter((name) => name !== 'Nats-Msg-Size');
  const line = (name: string, value: string) => name.length + value.length + ': \r\n'.length;
  const lines = names.flatMap((name) => headers!.values(name).map((value) => line(name, value)));
  const head = lines.length === 0 ? 0 : 4 + 'NATS/1.0\r\n\r\n'.length + lines.reduce((sum, bytes) => sum + bytes, 0);
  return frameBytes + Buffer.byteLength(subject) + head + (sizeOnly ? Number(sizeOnly) : data.length);
}

/** Bytes for the sequence, time, lengths and checksum of a message. */
const frameBytes = 30;
