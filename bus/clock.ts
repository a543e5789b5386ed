/**
 * The time of the bus (docs/adr/0014): what machines with clocks of their own agree on. The server is asked what time it is; between two
 * answers this process counts by itself, by a clock that nobody sets. The clock of the machine has no part in it.
 * Rule `server-time` (docs/task-protocol.md).
 */
import type { NatsConnection } from '@nats-io/nats-core';
import type { Log } from '../platform/log.ts';
import { onReconnect } from './reconnections.ts';

/** In that time two clocks drift apart by a few milliseconds. */
const everyMs = 60_000;
/** An answer that took longer says too little about when it was given. */
const maxRoundTripMs = 1_000;

/**
 * Asks at once, every minute, and after each reconnection, because a machine that slept did not count meanwhile. Until the connection is closed.
 * @param ask the server's time, in milliseconds since 1970.
 * @throws what the first `ask` throws.
 */
export async function startClock(nc: NatsConnection, log: Log, ask: () => Promise<number>): Promise<() => Date> {
  /** The bus's time when this process began to count. */
  let { zero } = await compare(ask);
  const again = (): void => {
    compare(ask).then(
      (found) => {
        if (found.roundTripMs < maxRoundTripMs) zero = found.zero;
      },
      (err) => log.debug({ err }, 'the server did not say what time it is, asking again later'),
    );
  };
  const timer = setInterval(again, everyMs);
  timer.unref();
  void nc.closed().then(() => clearInterval(timer));
  onReconnect(nc, again);
  return () => new Date(zero + performance.now());
}

/** The server gave its answer about half-way. */
async function compare(ask: () => Promise<number>): Promise<{ zero: number; roundTripMs: number }> {
  const asked = performance.now();
  const time = await ask();
  const answered = performance.now();
  return { zero: time - (asked + answered) / 2, roundTripMs: answered - asked };
}
