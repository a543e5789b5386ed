/**
 * Undoes a dispatch whose record was stored but whose ticket was refused: the operator is told that nothing was stored.
 * Rule `dispatch` (docs/task-protocol.md).
 */
import type { Bus } from '../bus.ts';
import { retryRequest } from '../retry.ts';
import type { StoredRecord } from '../state/state-record.ts';

/**
 * Purges the record up to our own write; nobody else writes it before it has a ticket. Never throws: if the record stays, the
 * sweeper publishes its ticket.
 */
export async function undoDispatch(bus: Bus, { record: { id }, revision }: StoredRecord): Promise<void> {
  const bucket = bus.subjects.stateBucket;
  try {
    const range = { filter: `$KV.${bucket}.${id}`, seq: revision + 1 };
    await retryRequest(bus, 'undoing a dispatch', () => bus.jsm.streams.purge(`KV_${bucket}`, range));
  } catch (err) {
    bus.log.error({ err, id }, 'the record of a refused task could not be purged: the task will run later');
  }
}
