/**
 * The events of a crew from a moment on that the caller can name: `started` resolves when nothing that happens can be missed any more, so
 * whatever is read after it is no older than the first event.
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
    // The first `next` subscribes; what the same connection asks afterwards is answered later than that.
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
