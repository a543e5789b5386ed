/** Requeues a run that a full bus stopped, before it began or in a node that leaves. It is not counted as a lost worker. */
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
  /** The record of the run; null if the task was not claimed. */
  readonly stored: StoredRecord | null;
}

/** Keeps its slot for a pause, because the bus would refuse the writes of another ticket too. */
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

/**
 * Rule `poison` counts claims without progress, but not one that a full bus stopped. This write does not lengthen the record, so
 * the bus may accept it.
 */
async function uncount(bus: Bus, { record: { id, epoch, node } }: StoredRecord): Promise<void> {
  const now = await readState(bus, id);
  if (now?.record.phase !== 'held' || now.record.epoch !== epoch || now.record.node !== node) return;
  const idleClaims = Math.max(0, now.record.idleClaims - 1);
  await replaceState(bus, now, { ...now.record, idleClaims }).catch((cause: unknown) => {
    if (!isFull(cause)) throw cause;
  });
}
