/**
 * A dispatch that found room for its state and none for its ticket leaves nothing behind: the operator was told that nothing was stored.
 * Rule `dispatch` (docs/task-protocol.md).
 */
import type { Bus } from '../bus.ts';
import { retryRequest } from '../retry.ts';
import type { StoredRecord } from '../state/state-record.ts';

/** Nobody else writes a record that no ticket names, and the purge ends at our own write. Never throws: the sweeper finds what stays. */
export async function undoDispatch(bus: Bus, { record: { id }, revision }: StoredRecord): Promise<void> {
  const bucket = bus.subjects.stateBucket;
  try {
    const range = { filter: `$KV.${bucket}.${id}`, seq: revision + 1 };
    await retryRequest(bus, 'a dispatch without room', () => bus.jsm.streams.purge(`KV_${bucket}`, range));
  } catch (err) {
    bus.log.error({ err, id }, 'a task that was refused for lack of room has left its state: it will run once there is room');
  }
}
