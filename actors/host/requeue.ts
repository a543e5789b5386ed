/** A run that found no room on the bus, in a node that leaves or before it began: its ticket goes back, and no worker's death is counted. */
import type { Bus } from '../../bus/bus.ts';
import { isFull, type Room } from '../../bus/capacity/backpressure.ts';
import type { Delivery } from '../../bus/queue/task-queue.ts';
import { type Held, readState, replaceState } from '../../bus/state/state-record.ts';
import type { CoxError } from '../../platform/errors.ts';

export interface PutOffOptions {
  readonly bus: Bus;
  readonly room: Room | undefined;
  readonly ackWaitMs: number;
  /** As the run had it; null where it was not claimed. */
  readonly held: Held | null;
}

/** Keeps the slot a while: another ticket would find no room either. */
export async function putOff(delivery: Delivery, cause: CoxError, { bus, room, ackWaitMs, held }: PutOffOptions): Promise<void> {
  room?.lacks(delivery.ticket.id, cause);
  if (held) await uncount(bus, held);
  delivery.nak(ackWaitMs);
  await room?.pause(3);
}

/** Line 12 counts claims that came to nothing; this one could not. A record of the same size fits where nothing else does. */
async function uncount(bus: Bus, { record: { id, epoch, node } }: Held): Promise<void> {
  const now = await readState(bus, id);
  if (now?.record.phase !== 'held' || now.record.epoch !== epoch || now.record.node !== node) return;
  const idleClaims = Math.max(0, now.record.idleClaims - 1);
  await replaceState(bus, now, { ...now.record, idleClaims }).catch((cause: unknown) => {
    if (!isFull(cause)) throw cause;
  });
}
