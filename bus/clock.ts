/**
 * The clock of the bus (docs/adr/0014), which all nodes share although the clocks of their machines differ. It asks the server
 * for its time and adds the time since then by the monotonic clock of this process. The clock of the machine is never read.
 * Rule `server-time` (docs/task-protocol.md).
 */
import type { NatsConnection } from '@nats-io/nats-core';
import type { Log } from '../platform/log.ts';
import { onReconnect } from './reconnections.ts';

/** Interval between two requests, in ms. Two clocks drift apart by a few milliseconds in this time. */
const everyMs = 60_000;
/** A slower answer is ignored: the moment at which the server gave it is too uncertain. */
const maxRoundTripMs = 1_000;

/**
 * Asks at once, every minute, and after each reconnection, because the monotonic clock may stand still while the machine sleeps.
 * Stops when the connection is closed.
 * @param ask resolves with the time of the server, in milliseconds since 1970.
 * @returns reads the clock of the bus.
 * @throws every error of the first `ask`.
 */
export async function startClock(nc: NatsConnection, log: Log, ask: () => Promise<number>): Promise<() => Date> {
  /** Time of the bus at which `performance.now()` was 0. */
  let { zero } = await compare(ask);
  const again = (): void => {
    compare(ask).then(
      (found) => {
        if (found.roundTripMs < maxRoundTripMs) zero = found.zero;
      },
      (err) => log.debug({ err }, 'the server did not give its time; asking again later'),
    );
  };
  const timer = setInterval(again, everyMs);
  timer.unref();
  void nc.closed().then(() => clearInterval(timer));
  onReconnect(nc, again);
  return () => new Date(zero + performance.now());
}

/** Assumes that the server read its clock half-way between request and answer. */
async function compare(ask: () => Promise<number>): Promise<{ zero: number; roundTripMs: number }> {
  const asked = performance.now();
  const time = await ask();
  const answered = performance.now();
  return { zero: time - (asked + answered) / 2, roundTripMs: answered - asked };
}
