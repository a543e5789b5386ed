/**
 * The events of a crew, or of the whole tree that contains the task `id`. `started` is called after the subscription is sent, so
 * a caller that reads the current state there misses no later change.
 */
import type { Crew } from '../bus/crew.ts';
import type { CrewEvent } from '../bus/crew-events.ts';
import type { TaskId } from '../bus/task-id.ts';

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
