/**
 * The events of a crew, or of one task with its tree. `started` is called after the subscription, so a state that it reads is at least as
 * new as the first event, and no later change is missed.
 */
import type { Crew } from '../bus/crew.ts';
import type { TaskId } from '../bus/task-id.ts';
import type { CrewEvent } from '../bus/watch.ts';

export async function* eventsOf(
  crew: Crew,
  id: TaskId | null,
  signal: AbortSignal,
  started: () => void | Promise<void>,
): AsyncGenerator<CrewEvent> {
  const over = new AbortController();
  const events = crew.watch(id, AbortSignal.any([over.signal, signal]));
  try {
    // The first `next` sends the subscription; the server handles later requests of the same connection after it.
    let next = events.next();
    await started();
    for (let event = await next; !event.done; event = await next) {
      next = events.next();
      yield event.value;
    }
  } finally {
    over.abort();
  }
}
