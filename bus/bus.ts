/** A connection with the streams it needs: what every part of `bus/` works on. */
import {
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  type MsgRequest,
  type StoredMsg,
  type StreamInfo,
} from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import type { Log } from '../platform/log.ts';
import type { Backpressure } from './capacity/backpressure.ts';
import { startClock } from './clock.ts';
import { retryRequest } from './retry.ts';
import { RecentRecords } from './state/recent-records.ts';
import { type StreamOptions, setUpStreams } from './streams.ts';
import { Subjects } from './subjects.ts';
import { Tick } from './tick.ts';
import { Writes } from './writes.ts';

export interface Bus {
  readonly nc: NatsConnection;
  readonly js: JetStreamClient;
  readonly jsm: JetStreamManager;
  readonly subjects: Subjects;
  readonly log: Log;
  readonly tick: Tick;
  readonly writes: Writes;
  readonly recentRecords: RecentRecords;
  /** The bus's time: whatever is written down for others, or compared with what they wrote, is of this clock. */
  readonly now: () => Date;
  /** Where it is set, writes wait for room: the work of a node. Without it a full bus is an error. */
  readonly backpressure?: Backpressure;
}

/** Binds a connection to a namespace and creates what is missing there; safe to repeat and to race. */
export async function openBus(
  nc: NatsConnection,
  options: { namespace?: string | undefined; log: Log; streams?: Partial<StreamOptions> },
): Promise<Bus> {
  const subjects = new Subjects(options.namespace);
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  const js = jetstream(nc);
  const tick = new Tick();
  const bus = {
    nc,
    js,
    jsm,
    subjects,
    log: options.log,
    tick,
    writes: new Writes(nc, js, tick),
    recentRecords: new RecentRecords(),
  };
  await retryRequest(bus, 'the streams', () => setUpStreams(bus, options.streams));
  const now = await retryRequest(bus, 'the time', () => startClock(nc, options.log, () => timeOf(bus)));
  return { ...bus, now };
}

/** By the server that leads what decides: its clock also stamps the messages. */
async function timeOf({ jsm, subjects }: Pick<Bus, 'jsm' | 'subjects'>): Promise<number> {
  // The server says when it answered; the client's type does not know it.
  const { ts } = (await jsm.streams.info(`KV_${subjects.stateBucket}`)) as StreamInfo & { ts: string };
  return Date.parse(ts);
}

/**
 * Reads that decide go to the stream's leader: a replicated direct read may miss a write that was acknowledged (PROTOCOL, "Why the obvious
 * version fails").
 * @returns the first message on `subject` at or after `seq`, or null.
 */
export const nextMessage = (bus: Bus, stream: string, subject: string, seq: number): Promise<StoredMsg | null> =>
  // The server takes both fields together; the client's type knows only one at a time.
  retryRequest(bus, subject, () => bus.jsm.streams.getMessage(stream, { seq, next_by_subj: subject } as unknown as MsgRequest));

export const lastMessage = (bus: Bus, stream: string, subject: string): Promise<StoredMsg | null> =>
  retryRequest(bus, subject, () => bus.jsm.streams.getMessage(stream, { last_by_subj: subject }));
