/**
 * Listens for nudges. A nudge tells a node to read the log now; it is a core-NATS copy of a steer or result, or comes from the
 * waker. In a cluster a copy may arrive before the log has the message; a nudge of the waker never does. A lost nudge costs time,
 * never a message.
 * Rule `nudge` (docs/task-protocol.md).
 */
import type { Bus } from '../bus.ts';
import { hasUnreadSteers } from '../log/steering-log.ts';
import { readState } from '../state/state-store.ts';
import { parentOf, type TaskId } from '../task-id.ts';
import { enqueue } from './task-queue.ts';

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

/** Most tasks that are looked at for nudges at once. A nudge beyond them is left to the waker. */
const mostAtOnce = 100;

/**
 * Wakes a parked task at a nudge, so that an answer to its question is not kept waiting by what comes before it in the waker, as in
 * a flood of steers to other tasks. One node of the crew does so. Rule `wake`.
 */
export function wakeNudged(bus: Bus): { stop(): void } {
  const { nc, subjects, log } = bus;
  const underWay = new Set<TaskId>();
  const wake = async (id: TaskId) => {
    const stored = await readState(bus, id);
    if (stored?.record.phase !== 'parked') return;
    const { run, spec, steeringCursor } = stored.record;
    if (await hasUnreadSteers(bus, id, steeringCursor)) await enqueue(bus, spec.type, 'wake', { id, run: run + 1 });
  };
  const subscription = nc.subscribe(subjects.everyNudge(), {
    queue: 'wakers',
    callback: (_, message) => {
      const id = subjects.parseNudge(message.subject);
      if (!id || message.string() === below || underWay.has(id) || underWay.size >= mostAtOnce) return;
      underWay.add(id);
      wake(id)
        .catch((err) => log.debug({ err, id }, 'a nudge was not followed; the waker does the same'))
        .finally(() => underWay.delete(id));
    },
  });
  return { stop: () => subscription.unsubscribe() };
}
