/** A run that found no room on the bus, in a node that leaves or before it began: its ticket goes back, and no worker's death is counted. */
import type { Bus } from '../../bus/bus.ts';
import { type Backpressure, isFull } from '../../bus/capacity/backpressure.ts';
import type { Delivery } from '../../bus/queue/delivery.ts';
import type { StoredRecord } from '../../bus/state/state-record.ts';
import { readState, replaceState } from '../../bus/state/state-store.ts';
import type { CoxError } from '../../platform/errors.ts';

export interface RequeueOptions {
  readonly bus: Bus;
  readonly backpressure: Backpressure | undefined;
  readonly leaseMs: number;
  /** As the run had it; null where it was not claimed. */
  readonly stored: StoredRecord | null;
}

/** Keeps the slot a while: another ticket would find no room either. */
export async function requeue(
  delivery: Delivery,
  cause: CoxError,
  { bus, backpressure, leaseMs, stored }: RequeueOptions,
): Promise<void> {
  backpressure?.reportFull(delivery.ticket.id, cause);
  if (stored) await uncount(bus, stored);
  delivery.nak(leaseMs);
  await backpressure?.pause(3);
}

/** Line 12 counts claims that came to nothing; this one could not. A record of the same size fits where nothing else does. */
async function uncount(bus: Bus, { record: { id, epoch, node } }: StoredRecord): Promise<void> {
  const now = await readState(bus, id);
  if (now?.record.phase !== 'held' || now.record.epoch !== epoch || now.record.node !== node) return;
  const idleClaims = Math.max(0, now.record.idleClaims - 1);
  await replaceState(bus, now, { ...now.record, idleClaims }).catch((cause: unknown) => {
    if (!isFull(cause)) throw cause;
  });
}
