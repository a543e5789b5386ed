/**
 * A plain publish is not told whether the log took it: to a log without room a steer goes unsaid, and neither its sender nor its task knows. A
 * node that finds no room hears such steers all the same, and can say so.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Bus } from '../bus.ts';
import { lastMessage } from '../leader-reads.ts';
import { messagesAfter } from '../state/batch-get.ts';

/** For the server to have stored what it will store: copies go out at once. */
const storedWithinMs = 250;
/** Messages on the log in that time, on a busy day. */
const mostMeanwhile = 1_000;
/** The server's time is known to half a round trip. */
const clockSlackMs = 1_000;

/** Tells of each plain steer from now on that the log does not have. @param lost with the tokens that it was sent to. */
export function onDroppedSteer(bus: Bus, lost: (id: string) => void): { stop(): void } {
  const { nc, subjects, log } = bus;
  const look = async (subject: string, data: Uint8Array) => {
    const since = bus.now().getTime() - clockSlackMs;
    await delay(storedWithinMs);
    const last = (await lastMessage(bus, subjects.logStream, subject))?.seq ?? 0;
    // Another may have come after it.
    const recent = await messagesAfter(bus, subjects.logStream, subject, Math.max(0, last - mostMeanwhile));
    if (recent.some((message) => message.time.getTime() >= since && Buffer.compare(message.data, data) === 0)) return;
    log.warn({ subject }, 'a steer by a plain publish found no room in the log');
    lost(subjects.parse(subject)?.id ?? subject);
  };
  const subscription = nc.subscribe(subjects.every('steering'), {
    callback: (_, { subject, data, reply }) => {
      // Who asks for a reply is told by the server.
      if (!reply) void look(subject, data).catch((err) => log.debug({ err }, 'could not look whether a steer was stored'));
    },
  });
  return { stop: () => subscription.unsubscribe() };
}
