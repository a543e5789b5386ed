/**
 * Live events of tasks. A watch subscribes to core NATS subjects, so it needs no consumer on the server and slows nobody down.
 * The log stream stores all of these messages except live output, so after a reconnection the missed ones are read from the log.
 * A client that may not read the log brings another source of what it has missed (`Missed`).
 */
import { DeliverPolicy, type JsMsg } from '@nats-io/jetstream';
import { messageOf } from '../platform/errors.ts';
import type { Bus } from './bus.ts';
import { listen } from './listen.ts';
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

/**
 * A link can fail silently for 9 s before the client notices (connection.ts). The log is therefore read from this many ms before
 * the noticed loss.
 */
const unnoticedMs = 15_000;

export interface Outage {
  /** Of one tree; `*` for all tasks. */
  readonly root: string;
  /** By the clock of the bus. */
  readonly since: Date;
}
/** Calls `tell` with the statuses and results since the beginning of an outage, in order. It may tell some that are known. */
export type Missed = (outage: Outage, tell: (event: CrewEvent | null) => void, signal: AbortSignal) => Promise<void>;

/**
 * Yields events until `signal` fires or the connection is closed.
 * @param root the root of one tree; `*` for all tasks.
 * @param missed called after each reconnection. Default: reads the log.
 */
export async function* watch(
  bus: Bus,
  root: string,
  signal: AbortSignal,
  missed: Missed = (outage, tell) => readLog(bus, outage, tell, signal),
): AsyncGenerator<CrewEvent> {
  const { nc, subjects } = bus;
  const events: CrewEvent[] = [];
  let news = Promise.withResolvers<void>();
  const wake = () => news.resolve();
  /** The last commit reported for each task; infinite once its result is reported. */
  const told = new Map<TaskId, number>();
  const tell = (event: CrewEvent) => {
    if (event.kind !== 'live') told.set(taskOf(event), commitOf(event));
    events.push(event);
    wake();
  };
  const tellNew = (event: CrewEvent | null) => {
    if (event && commitOf(event) > (told.get(taskOf(event)) ?? 0)) tell(event);
  };
  /** Events that come while the log is being read. They are reported after the events from the log. */
  const later: CrewEvent[] = [];
  let readings = 0;
  const hear = (event: CrewEvent | null) => {
    if (event && readings > 0 && event.kind !== 'live') later.push(event);
    else if (event) tell(event);
  };
  const catchUp = async (awayMs: number) => {
    readings++;
    try {
      await missed({ root, since: new Date(bus.now().getTime() - awayMs - unnoticedMs) }, tellNew, signal);
    } catch (err) {
      if (!signal.aborted && !nc.isClosed())
        bus.log.warn({ err: messageOf(err) }, 'what was missed cannot be read: events during the outage are not shown');
    } finally {
      if (--readings === 0) for (const event of later.splice(0)) tellNew(event);
    }
  };
  const subscriptions = [
    listen(nc, subjects.every('status', root), ({ data }) => hear(statusEvent(parseStatus(data)))),
    listen(nc, subjects.every('result', root), ({ subject }) => hear(resultEvent(subjects.parse(subject)?.id))),
    listen(nc, subjects.everyLive(root), ({ subject, data }) => hear(liveEvent(subjects.parseLive(subject), data))),
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
    for (const subscription of subscriptions) subscription.stop();
  }
}

async function readLog(
  bus: Bus,
  { root, since }: Outage,
  tell: (event: CrewEvent | null) => void,
  signal: AbortSignal,
): Promise<void> {
  const { subjects } = bus;
  const options = {
    filter_subjects: [subjects.every('status', root), subjects.every('result', root)],
    deliver_policy: DeliverPolicy.StartTime,
    opt_start_time: since.toISOString(),
  };
  const take = ({ subject, data }: JsMsg) => {
    const to = subjects.parse(subject);
    tell(to?.channel === 'result' ? resultEvent(to.id) : statusEvent(parseStatus(data)));
  };
  await scanStream(bus, subjects.logStream, options, take, signal);
}

const taskOf = (event: CrewEvent): TaskId => (event.kind === 'status' ? event.status.id : event.id);
const commitOf = (event: CrewEvent): number => (event.kind === 'status' ? event.status.commit : Number.POSITIVE_INFINITY);

export const statusEvent = (status: Status | null): CrewEvent | null => status && { kind: 'status', status };
export const resultEvent = (id: TaskId | null | undefined): CrewEvent | null => (id ? { kind: 'result', id } : null);
function liveEvent(id: TaskId | null, data: Uint8Array): CrewEvent | null {
  const live = id && parseMessage(Live, data);
  return id && live ? { kind: 'live', id, live } : null;
}
