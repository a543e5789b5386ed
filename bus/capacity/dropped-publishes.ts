/**
 * Detects steers that a full log has refused. A plain publish gets no reply, so neither its sender nor the task learns of the
 * loss. While the bus is full, a node subscribes to the steering subjects and compares the steers that it hears with the log.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Bus } from '../bus.ts';
import { lastMessage } from '../leader-reads.ts';
import { messagesAfter } from '../state/batch-get.ts';

/** Pause in ms before the log is read: a subscriber may get a message before the server has stored it. */
const storedWithinMs = 250;
/** How many log sequences before the last message are searched: more than a busy log takes in `storedWithinMs`. */
const mostMeanwhile = 1_000;
/** Margin in ms, because this process knows the server's time only to half a round trip. */
const clockSlackMs = 1_000;

/**
 * Reports each steer that is sent by a plain publish from now on and that the log has not stored.
 * @param lost gets the id of the task, or the subject if that names no task.
 */
export function onDroppedSteer(bus: Bus, lost: (id: string) => void): { stop(): void } {
  const { nc, subjects, log } = bus;
  const look = async (subject: string, data: Uint8Array) => {
    const since = bus.now().getTime() - clockSlackMs;
    await delay(storedWithinMs);
    const last = (await lastMessage(bus, subjects.logStream, subject))?.seq ?? 0;
    // Other messages may have been stored after it.
    for await (const message of messagesAfter(bus, subjects.logStream, subject, Math.max(0, last - mostMeanwhile)))
      if (message.time.getTime() >= since && Buffer.compare(message.data, data) === 0) return;
    log.warn({ subject }, 'a steer was lost: it was a plain publish, and the log is full');
    lost(subjects.parse(subject)?.id ?? subject);
  };
  const subscription = nc.subscribe(subjects.every('steering'), {
    callback: (_, { subject, data, reply }) => {
      // A sender that asked for a reply gets the refusal from the server.
      if (!reply) void look(subject, data).catch((err) => log.debug({ err }, 'could not check whether a steer was stored'));
    },
  });
  return { stop: () => subscription.unsubscribe() };
}
