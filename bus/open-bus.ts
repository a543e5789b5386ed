/** Opens a bus on a connection. */
import { jetstream, jetstreamManager, type StreamInfo } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import type { Log } from '../platform/log.ts';
import type { Bus } from './bus.ts';
import { startClock } from './clock.ts';
import { retryRequest } from './retry.ts';
import { RecentRecords } from './state/recent-records.ts';
import { type StreamOptions, setUpStreams } from './streams.ts';
import { Subjects } from './subjects.ts';
import { Tick } from './tick.ts';
import { Writes } from './writes.ts';

/**
 * Binds a connection to a namespace and creates the streams that are missing there. Several clients may do so at the same time.
 * @throws CoxError `bad-namespace`; `bus-closed` once the connection is closed for good.
 */
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

/** Time of the server that leads the stream of state records. Its clock also stamps the messages of that stream. */
async function timeOf({ jsm, subjects }: Pick<Bus, 'jsm' | 'subjects'>): Promise<number> {
  // `ts` is the time of the answer; the client's type lacks it.
  const { ts } = (await jsm.streams.info(`KV_${subjects.stateBucket}`)) as StreamInfo & { ts: string };
  return Date.parse(ts);
}
