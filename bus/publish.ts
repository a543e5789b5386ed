/**
 * A publish that resolves when the stream has stored the message. While the server restarts or is away, the publish is repeated
 * with the same message id. A message id alone does not make a message unique (rule `message-ids`): a caller that needs "once"
 * also gives an expected sequence or relies on a state record.
 */
import type { JetStreamPublishOptions } from '@nats-io/jetstream';
import { headers } from '@nats-io/nats-core';
import { crashPoint } from '../platform/crash-point.ts';
import { CoxError } from '../platform/errors.ts';
import type { Bus } from './bus.ts';
import { busFull } from './capacity/backpressure.ts';
import { WriteStallDetector } from './capacity/write-stall.ts';
import { isConflict, isDenied, isOutOfStorage, isTooBigForStream } from './jetstream-errors.ts';
import { retry, unlessReconnected } from './retry.ts';
import { traceHeader } from './trace-context.ts';
import type { WriteOptions } from './writes.ts';

export type Published =
  | { readonly ok: true; readonly seq: number; readonly duplicate: boolean }
  | { readonly ok: false; readonly why: 'conflict' };

/** The longest message that the server accepts, in bytes. */
export const maxPayload = ({ nc }: Pick<Bus, 'nc'>): number => nc.info?.max_payload ?? Number.POSITIVE_INFINITY;

export const isTooBig = (cause: unknown): boolean => cause instanceof CoxError && cause.code === 'message-too-big';

/**
 * @returns `conflict` if the expected last sequence does not match.
 * @throws CoxError `stream-full` or `storage-stuck` if the bus is full and has no `bus.backpressure` to wait, `message-too-big`
 * for a payload above the limit of the server or of the stream, `bus-closed`; AbortError.
 */
export async function publish(
  bus: Bus,
  subject: string,
  payload: string | Uint8Array,
  options: Partial<JetStreamPublishOptions> & WriteOptions,
  signal?: AbortSignal,
): Promise<Published> {
  const { js, nc, subjects, writes } = bus;
  const max = maxPayload(bus);
  const bytes = typeof payload === 'string' ? Buffer.byteLength(payload) : payload.byteLength;
  const tooBig = (limit: string, cause?: unknown) =>
    new CoxError('message-too-big', `${subject}: ${bytes} bytes are more than ${limit}`, {
      hint: 'Shorten the message, or raise max_payload of the server and max_msg_size of the stream.',
      cause,
    });
  if (bytes > max) throw tooBig(`the ${max} that the server accepts`);
  const sent = { ...options, ...headersFor(bus, subject, payload, options) };
  let stuck: WriteStallDetector | undefined;
  const attempt = async (): Promise<Published> => {
    try {
      const stream = subjects.streamOf(subject);
      const { seq, duplicate } = await (stream === null || options.schedule
        ? unlessReconnected(nc, js.publish(subject, payload, sent))
        : writes.send(stream, subject, payload, sent));
      return { ok: true, seq, duplicate };
    } catch (cause) {
      if (isConflict(cause)) return { ok: false, why: 'conflict' };
      if (isDenied(cause)) throw cause;
      if (isOutOfStorage(cause)) throw busFull(subject, cause);
      if (isTooBigForStream(cause)) throw tooBig('its stream accepts', cause);
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

/** In a crew with roles every steer is signed by whoever sends it. Where tracing is configured, it carries its trace context. */
function headersFor(
  { team, subjects, now, traceparent }: Bus,
  subject: string,
  body: string | Uint8Array,
  { msgID = '' }: Partial<JetStreamPublishOptions>,
): Partial<JetStreamPublishOptions> {
  if (!team && !traceparent) return {};
  const to = subjects.parse(subject);
  if (to?.channel !== 'steering') return {};
  const head = headers();
  for (const [name, value] of team?.signed({ subject, msgId: msgID, body }, now()) ?? []) head.set(name, value);
  if (traceparent && to.id) head.set(traceHeader, traceparent(to.id));
  return { headers: head };
}

/** Name of the crash point (platform/crash-point.ts) of a publish to this subject. */
function pointOf(subject: string): string | undefined {
  if (subject.startsWith('$KV.')) return 'state';
  if (subject.includes('.artifacts.')) return 'artifact';
  if (subject.includes('.costs.')) return 'costs';
  return subject.includes('.timers.') ? subject.split('.')[2] : subject.slice(subject.lastIndexOf('.') + 1);
}
