/**
 * The durable consumers that all nodes share are made when a node starts. One that somebody deletes under running nodes is made again:
 * otherwise nothing would be claimed, or woken, until the next node starts. It delivers anew what is not acked, which claims and the waker bear.
 */
import type { Bus } from '../bus.ts';
import { isConsumerNotFound } from '../jetstream-errors.ts';
import { consumerNames, ensureTicketConsumer, ensureTimerConsumer, ensureWakerConsumer } from '../streams.ts';
import type { Queue } from '../subjects.ts';

const queues: readonly Queue[] = ['wake', 'pending'];

/** @returns names of those that were gone. One that is there is left as it is. */
export async function restoreConsumers(bus: Bus, types: readonly string[], leaseMs: number): Promise<string[]> {
  const { workStream, logStream, timerStream } = bus.subjects;
  const shared = [
    { stream: logStream, name: consumerNames.waker, make: () => ensureWakerConsumer(bus) },
    { stream: timerStream, name: consumerNames.timers, make: () => ensureTimerConsumer(bus) },
    ...types.flatMap((type) =>
      queues.map((queue) => ({
        stream: workStream,
        name: consumerNames.tickets(type, queue),
        make: () => ensureTicketConsumer(bus, type, queue, leaseMs),
      })),
    ),
  ];
  const gone: string[] = [];
  for (const { stream, name, make } of shared) {
    if (await isThere(bus, stream, name)) continue;
    await make();
    gone.push(name);
  }
  if (gone.length > 0) bus.log.warn({ consumers: gone }, 'consumers were deleted while nodes use them, and are made again');
  return gone;
}

async function isThere({ jsm }: Bus, stream: string, name: string): Promise<boolean> {
  try {
    await jsm.consumers.info(stream, name);
    return true;
  } catch (cause) {
    if (isConsumerNotFound(cause)) return false;
    throw cause;
  }
}
