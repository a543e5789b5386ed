/** Tells of reconnections: what was asked before one is not answered any more, and may be asked again at once. */
import type { NatsConnection } from '@nats-io/nats-core';

/** @param awayMs for so long the connection was known to be lost. */
type Tell = (awayMs: number) => void;
const listeners = new WeakMap<NatsConnection, Set<Tell>>();

/** Calls `tell` at every reconnection from now on. @returns ends that. One subscription of the connection serves everybody. */
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
