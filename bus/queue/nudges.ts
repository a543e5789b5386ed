/** The core-NATS copies of steers and results: nudges to read the log now. Lost ones cost time, never a message. */
import type { Bus } from '../bus.ts';
import { parentOf, type TaskId } from '../task-id.ts';

/** @param nudge called with the task that has something new to read: the one steered, or the parent of the one that ended. */
export function onNudge({ nc, subjects }: Bus, nudge: (id: TaskId) => void): { stop(): void } {
  const listen = (channel: 'steering' | 'result') =>
    nc.subscribe(subjects.every(channel), {
      callback: (_, { subject }) => {
        const id = subjects.parse(subject)?.id;
        const addressee = id && channel === 'result' ? parentOf(id) : id;
        if (addressee) nudge(addressee);
      },
    });
  const subscriptions = [listen('steering'), listen('result')];
  return {
    stop: () => {
      for (const subscription of subscriptions) subscription.unsubscribe();
    },
  };
}
