import type { JsMsg } from '@nats-io/jetstream';
import { crashPoint } from '../../platform/crash-point.ts';
import type { Bus } from '../bus.ts';

/**
 * Acks a message at the end of the tick, together with the other messages of that tick. The ack is not confirmed: a message that
 * is delivered again is handled again, which is safe.
 * @param point names the crash points.
 */
export function ack(bus: Bus, message: JsMsg, point: 'ack' | 'waker-ack' | 'timer-ack'): void {
  crashPoint(`${point}:before`);
  atEnd(bus, () => {
    message.ack();
    crashPoint(`${point}:after`);
  });
}

/** Hands a message back at the end of the tick: it is delivered again after `delayMs`. */
export const nak = (bus: Bus, message: JsMsg, delayMs: number): void => atEnd(bus, () => message.nak(delayMs));

function atEnd({ nc, tick }: Bus, answer: () => void): void {
  tick.atEnd(() => {
    if (nc.isClosed()) return;
    try {
      answer();
    } catch (cause) {
      // At the end of a drain the client publishes nothing more. The message is delivered again, and finds its work done.
      if (nc.isDraining() || nc.isClosed()) return;
      throw cause;
    }
  });
}
