/**
 * Listens for nudges. A nudge tells a node to read the log now; it is a core-NATS copy of a steer or result, or comes from the
 * waker. In a cluster a copy may arrive before the log has the message; a nudge of the waker never does. A lost nudge costs time,
 * never a message.
 * Rule `nudge` (docs/task-protocol.md).
 */
import type { Bus } from '../bus.ts';
import { parentOf, type TaskId } from '../task-id.ts';

/** The payload of a nudge to a goal: one of its sub-tasks waits for the operator. */
export const below = 'below';

/**
 * @param nudge called with the task that has something to read: the one that was steered, or the parent of the one that ended.
 * `isBelow`: a goal is to look which of its sub-tasks wait.
 */
export function onNudge({ nc, subjects }: Bus, nudge: (id: TaskId, isBelow: boolean) => void): { stop(): void } {
  const listen = (channel: 'steering' | 'result') =>
    nc.subscribe(subjects.every(channel), {
      callback: (_, { subject }) => {
        const id = subjects.parse(subject)?.id;
        const addressee = id && channel === 'result' ? parentOf(id) : id;
        if (addressee) nudge(addressee, false);
      },
    });
  const told = nc.subscribe(subjects.everyNudge(), {
    callback: (_, message) => {
      const id = subjects.parseNudge(message.subject);
      if (id) nudge(id, message.string() === below);
    },
  });
  const subscriptions = [listen('steering'), listen('result'), told];
  return {
    stop: () => {
      for (const subscription of subscriptions) subscription.unsubscribe();
    },
  };
}
