/**
 * Wakes parked tasks at their deadlines. A parked task has no actor, so the server keeps its deadline as a scheduled message.
 * Rule `deadline` (docs/task-protocol.md).
 */
import type { JsMsg } from '@nats-io/jetstream';
import type { Bus } from '../bus.ts';
import { publish } from '../publish.ts';
import { readState } from '../state/state-store.ts';
import { consuming, ensureTimerConsumer } from '../streams.ts';
import type { TaskId } from '../task-id.ts';
import { ack } from './ack.ts';
import { handleEach } from './bounded.ts';
import { enqueue } from './task-queue.ts';

/** Sets the timer of a task, which has only one: a new timer replaces the old one. A time that has passed is due at once. */
export async function setTimer(bus: Bus, id: TaskId, at: Date, signal?: AbortSignal): Promise<void> {
  const { subjects } = bus;
  await publish(
    bus,
    subjects.timer(id, 'set'),
    id,
    { schedule: { specification: at, target: subjects.timer(id, 'due') } },
    signal,
  );
}

/** Most due timers that are handled at once; the others wait in the server. After a long outage thousands may be due. */
const mostAtOnce = 256;

/** Wakes tasks whose timers are due. All nodes share one durable consumer. */
export async function startTimers(bus: Bus): Promise<{ stop(): Promise<void> }> {
  const consumer = await bus.js.consumers.get(bus.subjects.timerStream, await ensureTimerConsumer(bus));
  const wake = async (id: TaskId | null): Promise<void> => {
    const stored = id && (await readState(bus, id));
    if (stored && stored.record.phase === 'parked')
      await enqueue(bus, stored.record.spec.type, 'wake', { id: stored.record.id, run: stored.record.run + 1 });
  };
  const handle = (message: JsMsg): Promise<void> =>
    wake(bus.subjects.parseTimer(message.subject)).then(
      () => ack(bus, message, 'timer-ack'),
      (err) => {
        bus.log.warn({ err, subject: message.subject }, 'handling a timer failed; it will be delivered again');
        message.nak(1_000);
      },
    );
  const messages = await consumer.consume({ max_messages: mostAtOnce, ...consuming });
  handleEach(messages, mostAtOnce, handle).catch((err) => {
    if (!bus.nc.isClosed())
      bus.log.error({ err }, 'timers are heard no more; other nodes wake tasks until this one starts again');
  });
  let closing: Promise<unknown> | null = null;
  return {
    stop: async () => {
      closing ??= messages.close();
      await closing;
    },
  };
}
