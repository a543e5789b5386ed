/** Listens to the machines of tasks while they run: announces itself to the nodes, and yields what they publish. */
import { randomUUID } from 'node:crypto';
import type { Bus } from '../bus.ts';
import { listen } from '../listen.ts';
import { parseMessage } from '../parse-message.ts';
import { onReconnect } from '../reconnections.ts';
import { rootOf } from '../task-id.ts';
import { Inspected, type InspectionWanted } from './inspection-messages.ts';
import { isOf } from './listeners.ts';

/** A node forgets a listener that was killed after `wantedMs`; one lost announcement in between is no matter. */
const wantedMs = 15_000;
const announceMs = 5_000;
/** Most messages that wait for a reader. The oldest are left out. */
const mostUnread = 2_000;

/**
 * Yields until `signal` fires or the connection is closed. Messages that do not fit the schema, or whose subject is of another
 * task, are left out.
 * @param of as in `InspectionWanted`.
 */
export async function* inspect(bus: Bus, of: InspectionWanted['of'], signal: AbortSignal): AsyncGenerator<Inspected> {
  const { nc, subjects } = bus;
  const listener = randomUUID();
  const unread: Inspected[] = [];
  let skipped = 0;
  let news = Promise.withResolvers<void>();
  const wake = () => news.resolve();
  const root = of === '*' ? '*' : of.includes('.') ? rootOf(of) : of;
  const listening = listen(nc, subjects.everyInspected(root), ({ subject, data }) => {
    const inspected = parseMessage(Inspected, data);
    if (!inspected || subjects.parseInspected(subject) !== inspected.task || !isOf(inspected.task, of)) return;
    unread.push(inspected);
    if (unread.length > mostUnread) {
      unread.shift();
      skipped++;
    }
    wake();
  });
  const announce = (forMs: number) => {
    if (nc.isClosed() || nc.isDraining()) return;
    nc.publish(subjects.inspectionWanted(), JSON.stringify({ listener, of, forMs } satisfies InspectionWanted));
  };
  announce(wantedMs);
  const announcing = setInterval(() => announce(wantedMs), announceMs);
  const stopWatching = onReconnect(nc, () => announce(wantedMs));
  signal.addEventListener('abort', wake);
  void nc.closed().then(wake);
  try {
    while (!signal.aborted && !nc.isClosed()) {
      await news.promise;
      news = Promise.withResolvers();
      for (let next = unread.shift(); next && !signal.aborted; next = unread.shift()) {
        const left = skipped;
        skipped = 0;
        yield left > 0 ? { ...next, skipped: (next.skipped ?? 0) + left } : next;
      }
    }
  } finally {
    announce(0);
    clearInterval(announcing);
    stopWatching();
    signal.removeEventListener('abort', wake);
    listening.stop();
  }
}
