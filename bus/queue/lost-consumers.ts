/**
 * Restores the durable consumers that all nodes share. Each node creates them at its start. If somebody deletes one while nodes
 * run, no task would be claimed or woken until the next node starts. A restored consumer delivers all unacked messages again,
 * which is safe.
 */
import type { Bus } from '../bus.ts';
import { isConsumerNotFound } from '../jetstream-errors.ts';
import { consumerNames, ensureTicketConsumer, ensureTimerConsumer, ensureWakerConsumer } from '../streams.ts';
import type { Queue } from '../subjects.ts';

const queues: readonly Queue[] = ['wake', 'pending'];

/**
 * Creates the consumers that are missing and leaves the others as they are.
 * @returns names of the consumers that were missing.
 */
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
  if (gone.length > 0) bus.log.warn({ consumers: gone }, 'consumers that nodes use were deleted; they have been created again');
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
