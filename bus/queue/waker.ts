/**
 * The waker (rule `waker`) reads every steer and every result once more, and acks it only when a cursor of its addressee covers
 * it. So no wake-up is lost (F): if the addressee did not see the message when it came, a waker looks again later.
 */
import type { ConsumerMessages, JsMsg } from '@nats-io/jetstream';
import type { Bus } from '../bus.ts';
import { isFull } from '../capacity/backpressure.ts';
import { returnLate, returnUnborn, returnUnknown } from '../log/late-steers.ts';
import { parseSteering } from '../log/steering-log.ts';
import { isPlanned } from '../state/parents.ts';
import { readState } from '../state/state-store.ts';
import { consuming, ensureWakerConsumer } from '../streams.ts';
import type { Channel } from '../subjects.ts';
import { ordinalOf, parentOf, type TaskId } from '../task-id.ts';
import { ack } from './ack.ts';
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
 * not parked, and its worker was nudged; or a planned sub-task has no record yet.
 */
type Verdict = 'covered' | 'woken' | 'later';

export async function startWaker(bus: Bus, options: WakerOptions): Promise<Waker> {
  const consumer = await bus.js.consumers.get(bus.subjects.logStream, await ensureWakerConsumer(bus));
  const handle = async (message: JsMsg) => {
    try {
      const verdict = await judge(bus, options, message);
      if (verdict === 'covered') ack(bus, message, 'waker-ack');
      else message.nak(backoffMs(verdict, message.info.deliveryCount));
    } catch (err) {
      if (bus.nc.isClosed() || bus.nc.isDraining()) return;
      bus.log.warn({ err, subject: message.subject }, 'the waker could not handle a message; it will be delivered again');
      message.nak(isFull(err) ? 5_000 : 1_000);
    }
  };

  let messages: ConsumerMessages | null = await consumer.consume({
    max_messages: 500,
    ...consuming,
    callback: (message) => void handle(message),
  });
  return {
    stop: async () => {
      await messages?.close();
      messages = null;
    },
  };
}

/**
 * Looks whether the record of the addressee covers a message. If it does not, this returns the steer to its sender, wakes the
 * task, or nudges its worker.
 */
async function judge(bus: Bus, { node, now, local }: WakerOptions, message: JsMsg): Promise<Verdict> {
  const to = bus.subjects.parse(message.subject);
  if (!to) return 'covered';
  const addressee = to.id && (to.channel === 'result' ? parentOf(to.id) : to.id);
  if (to.channel === 'result' && !addressee) return 'covered';
  const steering = () => parseSteering({ data: message.data, seq: message.seq, header: message.headers });
  if (!addressee) {
    await returnUnknown(bus, to.tokens, steering(), node, now());
    return 'covered';
  }
  const hosted = local(addressee, to.channel, message.seq);
  if (hosted && (await hosted)) return 'covered';
  const stored = await readState(bus, addressee);
  if (!stored || stored.record.phase === 'unborn') {
    if (to.channel === 'result') return 'covered';
    if (await isPlanned(bus, addressee)) return 'later';
    await returnUnborn(bus, addressee, node, now);
    return 'covered';
  }
  const { record } = stored;
  // A stranger wrote this: no sub-task of that number was ever planned, so no cursor will cover it.
  if (to.channel === 'result' && to.id && ordinalOf(to.id) > record.children) return 'covered';
  const cursor = to.channel === 'result' ? record.resultCursor : record.steeringCursor;
  if (record.phase === 'done') {
    if (to.channel === 'steering') await returnLate(bus, addressee, now);
    return 'covered';
  }
  if (cursor >= message.seq) return 'covered';
  if (record.phase !== 'parked') {
    bus.nc.publish(bus.subjects.nudge(addressee));
    return 'later';
  }
  await enqueue(bus, record.spec.type, 'wake', { id: addressee, run: record.run + 1 });
  return 'woken';
}

/**
 * Delay in ms before a message is delivered again: 50 ms, or 1 s after a wake, doubled each time, at most 5 s. After a nudge the
 * delivery only matters if the nudge was lost. A wake may wait for a slot behind thousands of others; an earlier look would only
 * take up slots.
 */
const backoffMs = (verdict: Verdict, deliveries: number) =>
  Math.min((verdict === 'woken' ? 1_000 : 50) * 2 ** (deliveries - 1), 5_000);
