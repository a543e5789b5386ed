/** Opens a bus on a connection. */
import { jetstream, jetstreamManager, type StreamInfo } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import type { Log } from '../platform/log.ts';
import type { Bus } from './bus.ts';
import { startClock } from './clock.ts';
import { retryRequest } from './retry.ts';
import { Scans } from './scans.ts';
import { RecentRecords } from './state/recent-records.ts';
import { type StreamOptions, setUpStreams } from './streams.ts';
import { Subjects } from './subjects.ts';
import { doesChores, mayHost } from './team/chores.ts';
import { followMembers } from './team/follow-members.ts';
import type { Team } from './team/team.ts';
import { checkTeamStreams, openTeamStreams } from './team/team-streams.ts';
import { Tick } from './tick.ts';
import { contextOfMessages, type Env } from './trace-context.ts';
import { Writes } from './writes.ts';

/**
 * Binds a connection to a namespace and creates the streams that are missing there. Several clients may do so at the same time.
 * In a crew with roles supervisors create them, and other nodes expect them.
 * @throws CoxError `bad-namespace`; `no-streams`; `bus-closed` once the connection is closed for good.
 */
export async function openBus(
  nc: NatsConnection,
  options: { namespace?: string | undefined; log: Log; streams?: Partial<StreamOptions>; team?: Team | undefined; env?: Env },
): Promise<Bus> {
  const { team } = options;
  const subjects = new Subjects(team?.namespace ?? options.namespace);
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
    scans: new Scans(),
    ...(team && { team }),
    ...contextOfMessages(subjects.namespace, options.env),
  };
  // Such a client reads no stream: it asks the nodes, and its own clock is good enough for a signature.
  if (!mayHost(bus)) return { ...bus, now: () => new Date() };
  await retryRequest(bus, 'the streams', () => (doesChores(bus) ? setUpStreams(bus, options.streams) : checkTeamStreams(bus)));
  const now = await retryRequest(bus, 'the time', () => startClock(nc, options.log, () => timeOf(bus)));
  const opened = { ...bus, now };
  if (team?.is('supervisor')) await openTeamStreams(opened);
  if (team) await followMembers(opened);
  return opened;
}

/** Time of the server that leads the stream of state records. Its clock also stamps the messages of that stream. */
async function timeOf({ jsm, subjects }: Pick<Bus, 'jsm' | 'subjects'>): Promise<number> {
  // `ts` is the time of the answer; the client's type lacks it.
  const { ts } = (await jsm.streams.info(`KV_${subjects.stateBucket}`)) as StreamInfo & { ts: string };
  return Date.parse(ts);
}
