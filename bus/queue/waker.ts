/**
 * The waker (rule `waker`) reads every steer and every result once more, and acks it only when a cursor of its addressee covers
 * it. So no wake-up is lost (F): if the addressee did not see the message when it came, a waker looks again later.
 */
import type { JsMsg } from '@nats-io/jetstream';
import type { Bus } from '../bus.ts';
import { isFull } from '../capacity/backpressure.ts';
import { returnLate, returnUnborn, returnUnknown } from '../log/late-steers.ts';
import { verifiedSteering } from '../log/steering-log.ts';
import { retryRequest } from '../retry.ts';
import { isPlanned } from '../state/parents.ts';
import { readState } from '../state/state-store.ts';
import { consuming, ensureWakerConsumer } from '../streams.ts';
import type { Channel } from '../subjects.ts';
import { ordinalOf, parentOf, type TaskId } from '../task-id.ts';
import { ack, nak } from './ack.ts';
import { handleEach } from './bounded.ts';
import { wakeNudged } from './nudges.ts';
import { Passes } from './passes.ts';
import { enqueue } from './task-queue.ts';

export interface WakerOptions {
  readonly node: string;
  readonly now: () => string;
  /**
   * Tells a task that this process hosts to read its log. Resolves to true when its record covers `seq`, and to false when it is
   * no longer hosted. Returns null if this process does not host it.
   */
  readonly local: (id: TaskId, channel: Channel, seq: number) => Promise<boolean> | null;
}

export interface Waker {
  stop(): Promise<void>;
}

/**
 * `covered`: nothing is left to do for the message. `woken`: a ticket for the parked task is in the queue. `later`: the task is
 * not parked, and its worker was nudged; or a planned sub-task has no record yet. `crowded`: many messages to the same task are
 * being handled, which soon covers this one too.
 */
type Verdict = 'covered' | 'woken' | 'later' | 'crowded';

/** Most messages that are handled at once; the others wait in the server. */
const mostAtOnce = 1_000;
/** Most of them that have one addressee, so that a flood of steers to one task holds up no other task. */
const mostOfOne = 16;

export async function startWaker(bus: Bus, options: WakerOptions): Promise<Waker> {
  const consumer = await bus.js.consumers.get(bus.subjects.logStream, await ensureWakerConsumer(bus));
  const underWay = new Map<string, number>();
  const passes = new Passes();
  const judged = async (message: JsMsg): Promise<Verdict> => {
    const to = bus.subjects.parse(message.subject);
    if (!to) return 'covered';
    if (to.id && to.channel === 'steering') {
      if (passes.hasCovered(to.id, message.seq)) return 'covered';
      if (passes.joins(to.id, message.seq)) return 'crowded';
    }
    const addressee = (to.id && to.channel === 'result' && parentOf(to.id)) || to.tokens;
    const already = underWay.get(addressee) ?? 0;
    if (already >= mostOfOne) return 'crowded';
    underWay.set(addressee, already + 1);
    try {
      return await judge(bus, options, passes, message, to);
    } finally {
      const left = underWay.get(addressee)! - 1;
      if (left > 0) underWay.set(addressee, left);
      else underWay.delete(addressee);
    }
  };
  const handle = async (message: JsMsg) => {
    try {
      const verdict = await judged(message);
      if (verdict === 'covered') ack(bus, message, 'waker-ack');
      else nak(bus, message, backoffMs(verdict, message.info.deliveryCount));
    } catch (err) {
      if (bus.nc.isClosed() || bus.nc.isDraining()) return;
      bus.log.warn({ err, subject: message.subject }, 'the waker could not handle a message; it will be delivered again');
      nak(bus, message, isFull(err) ? 5_000 : 1_000);
    }
  };

  const messages = await consumer.consume({ max_messages: 500, ...consuming });
  handleEach(messages, mostAtOnce, handle).catch((err) => {
    if (!bus.nc.isClosed()) bus.log.error({ err }, 'the waker has stopped; other nodes wake tasks until this one starts again');
  });
  const nudged = wakeNudged(bus);
  return {
    stop: async () => {
      nudged.stop();
      await messages.close();
    },
  };
}

/**
 * Looks whether the record of the addressee covers a message. If it does not, this returns the steer to its sender, wakes the
 * task, or nudges its worker.
 */
async function judge(
  bus: Bus,
  { node, now, local }: WakerOptions,
  passes: Passes,
  { seq }: JsMsg,
  to: NonNullable<ReturnType<Bus['subjects']['parse']>>,
): Promise<Verdict> {
  const addressee = to.id && (to.channel === 'result' ? parentOf(to.id) : to.id);
  if (to.channel === 'result' && !addressee) return 'covered';
  if (!addressee) {
    const { logStream } = bus.subjects;
    const message = await retryRequest(bus, logStream, () => bus.jsm.streams.getMessage(logStream, { seq }));
    if (message) await returnUnknown(bus, to.tokens, verifiedSteering(bus, message), node, now());
    return 'covered';
  }
  const hosted = local(addressee, to.channel, seq);
  if (hosted && (await hosted)) return 'covered';
  const stored = await readState(bus, addressee);
  if (!stored || stored.record.phase === 'unborn') {
    if (to.channel === 'result') return 'covered';
    if (await isPlanned(bus, addressee)) return 'later';
    return (await passes.cover(addressee, seq, () => returnUnborn(bus, addressee, node, now))) ? 'covered' : 'crowded';
  }
  const { record } = stored;
  // A stranger wrote this: no sub-task of that number was ever planned, so no cursor will cover it.
  if (to.channel === 'result' && to.id && ordinalOf(to.id) > record.children) return 'covered';
  const cursor = to.channel === 'result' ? record.resultCursor : record.steeringCursor;
  // A steer that the record covers is not told of yet if a waker was lost in between.
  if (record.phase === 'done' && to.channel === 'steering')
    return (await passes.cover(addressee, seq, () => returnLate(bus, addressee, now))) ? 'covered' : 'crowded';
  if (cursor >= seq || record.phase === 'done') return 'covered';
  if (record.phase !== 'parked') {
    bus.nc.publish(bus.subjects.nudge(addressee));
    return 'later';
  }
  await enqueue(bus, record.spec.type, 'wake', { id: addressee, run: record.run + 1 });
  return 'woken';
}

/**
 * Delay in ms before a message is delivered again: the first, the factor for each further one, and the longest. After a nudge the
 * delivery only matters if the nudge was lost. A wake may wait for a slot behind thousands of others, and an earlier look would
 * only take up slots. In a crowd, the messages that are being handled are enough to bring the task to read all of them, and a flood
 * that came again every few seconds would be another flood.
 */
const backoff = { later: [50, 2, 5_000], woken: [1_000, 2, 5_000], crowded: [1_000, 5, 30_000] } as const;

const backoffMs = (verdict: Exclude<Verdict, 'covered'>, deliveries: number) => {
  const [first, factor, longest] = backoff[verdict];
  return Math.min(first * factor ** (deliveries - 1), longest);
};
