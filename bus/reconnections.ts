/** Tells of reconnections. A request from before a reconnection gets no answer and can be repeated at once. */
import type { NatsConnection } from '@nats-io/nats-core';

/** @param awayMs time from the noticed loss of the connection to the reconnection, in ms. */
type Tell = (awayMs: number) => void;
const listeners = new WeakMap<NatsConnection, Set<Tell>>();

/**
 * Calls `tell` at every reconnection.
 * @returns a function that ends this. All callers share one iterator of the connection's status.
 */
export function onReconnect(nc: NatsConnection, tell: Tell): () => void {
  let all = listeners.get(nc);
  if (!all) {
    all = new Set();
    listeners.set(nc, all);
    void spread(nc, all);
  }
  all.add(tell);
  return () => void all.delete(tell);
}

async function spread(nc: NatsConnection, all: ReadonlySet<Tell>): Promise<void> {
  let lostAt: number | null = null;
  for await (const { type } of nc.status()) {
    if (type === 'disconnect') lostAt ??= performance.now();
    if (type !== 'reconnect') continue;
    const awayMs = lostAt === null ? 0 : performance.now() - lostAt;
    lostAt = null;
    for (const tell of [...all]) tell(awayMs);
  }
}
