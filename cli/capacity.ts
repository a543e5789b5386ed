/** Messages for the operator about a bus that is full or nearly full. */
import type { Bus } from '../bus/bus.ts';
import type { Fullness } from '../bus/capacity/stream-limits.ts';

export interface Trouble {
  readonly isFull: boolean;
  readonly message: string;
  readonly hint: string;
}

const hint = '`cox gc --older-than 1h` purges finished tasks; docs/operations.md lists other ways to free space.';

/** Null if no stream is full or nearly full. */
export async function troubleOf(full: readonly Fullness[]): Promise<Trouble | null> {
  if (full.length === 0) return null;
  const { sizeOf } = await import('../platform/progress.ts');
  const each = full.map(({ name, bytes, maxBytes }) => `${name} ${sizeOf(bytes)} of ${sizeOf(maxBytes)}`).join(', ');
  const isFull = full.some((it) => it.isFull);
  return { isFull, message: isFull ? `The bus is full (${each}): work waits.` : `The bus is nearly full: ${each}.`, hint };
}

/** Uses the notice of a node whose writes the bus refuses, or else the limits of the streams, if this client may read them. */
export async function capacityTrouble(bus: Bus): Promise<Trouble | null> {
  const [{ fullNotice }, { fullStreams }, { stuckHint }, { mayHost }] = await Promise.all([
    import('../bus/capacity/full-notice.ts'),
    import('../bus/capacity/stream-limits.ts'),
    import('../bus/capacity/write-stall.ts'),
    import('../bus/team/chores.ts'),
  ]);
  const [notice, streams] = await Promise.all([fullNotice(bus), mayHost(bus) ? fullStreams(bus) : []]);
  if (!notice) return troubleOf(streams);
  const isStuck = notice.code === 'storage-stuck';
  const what = isStuck ? 'The NATS server answers but stores nothing' : 'The bus is full: it stores nothing more';
  return { isFull: true, message: `${what}. Work waits on ${notice.node}.`, hint: isStuck ? stuckHint : hint };
}
