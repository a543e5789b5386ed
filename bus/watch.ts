/**
 * What happens to tasks, as it happens. It flies by on core subjects: a watch costs the server nothing, and nobody waits for who watches. The
 * log has all of it but the live words, so what was published while the connection was away is read there once it is back.
 */
import { DeliverPolicy, type JsMsg } from '@nats-io/jetstream';
import { messageOf } from '../platform/errors.ts';
import type { Bus } from './bus.ts';
import { parseStatus } from './log/projection.ts';
import { scanStream } from './log/stream-scan.ts';
import { Live, type Status } from './messages.ts';
import { parseMessage } from './parse-message.ts';
import { onReconnect } from './reconnections.ts';
import type { TaskId } from './task-id.ts';

export type CrewEvent =
  | { readonly kind: 'status'; readonly status: Status }
  | { readonly kind: 'live'; readonly id: TaskId; readonly live: Live }
  | { readonly kind: 'result'; readonly id: TaskId };

/** A link that is dead without a word is noticed after 9 s (connection.ts). */
const unnoticedMs = 15_000;

/** @param root of one tree; `*` for every task. Ends when `signal` fires or the connection is closed. */
export async function* watch(bus: Bus, root: string, signal: AbortSignal): AsyncGenerator<CrewEvent> {
  const { nc, subjects } = bus;
  const events: CrewEvent[] = [];
  let news = Promise.withResolvers<void>();
  const wake = () => news.resolve();
  /** By the task: the last commit that was told of; infinite with its result. */
  const told = new Map<TaskId, number>();
  const tell = (event: CrewEvent) => {
    if (event.kind !== 'live') told.set(taskOf(event), commitOf(event));
    events.push(event);
    wake();
  };
  const tellNew = (event: CrewEvent | null) => {
    if (event && commitOf(event) > (told.get(taskOf(event)) ?? 0)) tell(event);
  };
  /** What comes while the log is read stands behind what is read. */
  const later: CrewEvent[] = [];
  let readings = 0;
  const hear = (event: CrewEvent | null) => {
    if (event && readings > 0 && event.kind !== 'live') later.push(event);
    else if (event) tell(event);
  };
  const catchUp = async (awayMs: number) => {
    readings++;
    try {
      await readLog(bus, root, awayMs + unnoticedMs, tellNew, signal);
    } catch (err) {
      if (!signal.aborted && !nc.isClosed())
        bus.log.warn({ err: messageOf(err) }, 'what happened while the connection was away is not told');
    } finally {
      if (--readings === 0) for (const event of later.splice(0)) tellNew(event);
    }
  };
  const subscriptions = [
    nc.subscribe(subjects.every('status', root), { callback: (_, m) => hear(statusEvent(parseStatus(m.data))) }),
    nc.subscribe(subjects.every('result', root), { callback: (_, m) => hear(resultEvent(subjects.parse(m.subject)?.id)) }),
    nc.subscribe(subjects.everyLive(root), { callback: (_, m) => hear(liveEvent(subjects.parseLive(m.subject), m.data)) }),
  ];
  const stopWatching = onReconnect(nc, (awayMs) => void catchUp(awayMs));
  signal.addEventListener('abort', wake);
  void nc.closed().then(wake);
  try {
    while (!signal.aborted && !nc.isClosed()) {
      await news.promise;
      news = Promise.withResolvers();
      yield* events.splice(0);
    }
  } finally {
    signal.removeEventListener('abort', wake);
    stopWatching();
    for (const subscription of subscriptions) subscription.unsubscribe();
  }
}

/** Statuses and results of the last `withinMs`, in the order of the log. */
async function readLog(
  bus: Bus,
  root: string,
  withinMs: number,
  tell: (event: CrewEvent | null) => void,
  signal: AbortSignal,
): Promise<void> {
  const { subjects } = bus;
  const options = {
    filter_subjects: [subjects.every('status', root), subjects.every('result', root)],
    deliver_policy: DeliverPolicy.StartTime,
    opt_start_time: new Date(bus.now().getTime() - withinMs).toISOString(),
  };
  const take = ({ subject, data }: JsMsg) => {
    const to = subjects.parse(subject);
    tell(to?.channel === 'result' ? resultEvent(to.id) : statusEvent(parseStatus(data)));
  };
  await scanStream(bus, subjects.logStream, options, take, signal);
}

const taskOf = (event: CrewEvent): TaskId => (event.kind === 'status' ? event.status.id : event.id);
const commitOf = (event: CrewEvent): number => (event.kind === 'status' ? event.status.commit : Number.POSITIVE_INFINITY);

const statusEvent = (status: Status | null): CrewEvent | null => status && { kind: 'status', status };
const resultEvent = (id: TaskId | null | undefined): CrewEvent | null => (id ? { kind: 'result', id } : null);
function liveEvent(id: TaskId | null, data: Uint8Array): CrewEvent | null {
  const live = id && parseMessage(Live, data);
  return id && live ? { kind: 'live', id, live } : null;
}
