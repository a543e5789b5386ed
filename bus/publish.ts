/**
 * A publish that is awaited until the stream has it. A broker that restarts or is away only delays it: the publish is repeated with the
 * same message id. Since message ids are not identity (rule `message-ids`), whoever depends on "once" also gives an expectation or a state record.
 */
import type { JetStreamPublishOptions } from '@nats-io/jetstream';
import { crashPoint } from '../platform/crash-point.ts';
import { CoxError } from '../platform/errors.ts';
import type { Bus } from './bus.ts';
import { busFull } from './capacity/backpressure.ts';
import { WriteStallDetector } from './capacity/write-stall.ts';
import { isConflict, isOutOfStorage } from './jetstream-errors.ts';
import { retry, unlessReconnected } from './retry.ts';
import type { WriteOptions } from './writes.ts';

export type Published =
  | { readonly ok: true; readonly seq: number; readonly duplicate: boolean }
  | { readonly ok: false; readonly why: 'conflict' };

/**
 * @returns `conflict` when an expectation does not hold.
 * @throws CoxError `stream-full` or `storage-stuck` when there is no room and no `bus.room` that waits for it, `message-too-big` past the
 * server's max_payload; AbortError.
 */
export async function publish(
  bus: Bus,
  subject: string,
  payload: string | Uint8Array,
  options: Partial<JetStreamPublishOptions> & WriteOptions,
  signal?: AbortSignal,
): Promise<Published> {
  const { js, nc, subjects, writes } = bus;
  const max = nc.info?.max_payload ?? Number.POSITIVE_INFINITY;
  const bytes = typeof payload === 'string' ? Buffer.byteLength(payload) : payload.byteLength;
  if (bytes > max)
    throw new CoxError('message-too-big', `${subject}: ${bytes} bytes are more than the ${max} that the server takes`, {
      hint: 'Shorten it, or raise max_payload of the server.',
    });
  let stuck: WriteStallDetector | undefined;
  const attempt = async (): Promise<Published> => {
    try {
      const stream = subjects.streamOf(subject);
      const { seq, duplicate } = await (stream === null || options.schedule
        ? unlessReconnected(nc, js.publish(subject, payload, options))
        : writes.send(stream, subject, payload, options));
      return { ok: true, seq, duplicate };
    } catch (cause) {
      if (isConflict(cause)) return { ok: false, why: 'conflict' };
      if (isOutOfStorage(cause)) throw busFull(subject, cause);
      stuck ??= new WriteStallDetector();
      await stuck.check(bus, subject, cause);
      throw cause;
    }
  };
  const point = pointOf(subject);
  crashPoint(`${point}:before`);
  const write = () => retry(bus, subject, attempt, signal);
  const published = await (bus.backpressure ? bus.backpressure.wait(subject, write, signal) : write());
  crashPoint(`${point}:after`);
  return published;
}

/** Its name in platform/crash-point.ts. */
function pointOf(subject: string): string | undefined {
  if (subject.startsWith('$KV.')) return 'state';
  return subject.includes('.timers.') ? subject.split('.')[2] : subject.slice(subject.lastIndexOf('.') + 1);
}
