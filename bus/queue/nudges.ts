/**
 * Listens for nudges. A nudge tells a node to read the log now; it is a core-NATS copy of a steer or result, or comes from the
 * waker. In a cluster a copy may arrive before the log has the message; a nudge of the waker never does. A lost nudge costs time,
 * never a message.
 * Rule `nudge` (docs/task-protocol.md).
 */
import type { Bus } from '../bus.ts';
import { parentOf, type TaskId } from '../task-id.ts';

/**
 * @param nudge called with the task that has something to read: the one that was steered, or the parent of the one that ended.
 */
export function onNudge({ nc, subjects }: Bus, nudge: (id: TaskId) => void): { stop(): void } {
  const listen = (channel: 'steering' | 'result') =>
    nc.subscribe(subjects.every(channel), {
      callback: (_, { subject }) => {
        const id = subjects.parse(subject)?.id;
        const addressee = id && channel === 'result' ? parentOf(id) : id;
        if (addressee) nudge(addressee);
      },
    });
  const told = nc.subscribe(subjects.everyNudge(), {
    callback: (_, { subject }) => {
      const id = subjects.parseNudge(subject);
      if (id) nudge(id);
    },
  });
  const subscriptions = [listen('steering'), listen('result'), told];
  return {
    stop: () => {
      for (const subscription of subscriptions) subscription.unsubscribe();
    },
  };
}
