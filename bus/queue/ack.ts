import type { JsMsg } from '@nats-io/jetstream';
import { crashPoint } from '../../platform/crash-point.ts';
import type { Bus } from '../bus.ts';

/** At the end of the turn, with what else is sent then; not confirmed: whatever is delivered again is judged again. @param point names the crash points. */
export function ack({ nc, tick }: Bus, message: JsMsg, point: 'ack' | 'waker-ack' | 'timer-ack'): void {
  crashPoint(`${point}:before`);
  tick.atEnd(() => {
    if (nc.isClosed()) return;
    message.ack();
    crashPoint(`${point}:after`);
  });
}
