/** Tells of reconnections: what was asked before one is not answered any more, and may be asked again at once. */
import type { NatsConnection } from '@nats-io/nats-core';

const listeners = new WeakMap<NatsConnection, Set<() => void>>();

/** Calls `tell` at every reconnection from now on. @returns ends that. One subscription of the connection serves everybody. */
export function onReconnect(nc: NatsConnection, tell: () => void): () => void {
  let all = listeners.get(nc);
  if (!all) {
    all = new Set();
    listeners.set(nc, all);
    void spread(nc, all);
  }
  all.add(tell);
  return () => void all.delete(tell);
}

async function spread(nc: NatsConnection, all: ReadonlySet<() => void>): Promise<void> {
  for await (const { type } of nc.status()) if (type === 'reconnect') for (const tell of [...all]) tell();
}
