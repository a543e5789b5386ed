/** A connection to NATS, bound to a namespace whose streams exist. Every part of `bus/` works on one. */
import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import type { Log } from '../platform/log.ts';
import type { Backpressure } from './capacity/backpressure.ts';
import type { Scans } from './scans.ts';
import type { RecentRecords } from './state/recent-records.ts';
import type { Subjects } from './subjects.ts';
import type { TaskId } from './task-id.ts';
import type { Team } from './team/team.ts';
import type { Tick } from './tick.ts';
import type { Writes } from './writes.ts';

export interface Bus {
  readonly nc: NatsConnection;
  readonly js: JetStreamClient;
  readonly jsm: JetStreamManager;
  readonly subjects: Subjects;
  readonly log: Log;
  readonly tick: Tick;
  readonly writes: Writes;
  readonly recentRecords: RecentRecords;
  readonly scans: Scans;
  /** The clock of the bus. Every time that others read, or that is compared with a time that others wrote, comes from it. */
  readonly now: () => Date;
  /** Set in a crew with roles (docs/adr/0030): who this client is, and who else belongs to the crew. */
  readonly team?: Team;
  /** Set where tracing is configured: the W3C trace context of tickets for a task and of steers to it. */
  readonly traceparent?: (task: TaskId) => string;
  /** Set on a node: a write that a full bus refuses waits until the bus accepts it. Without it such a write throws. */
  readonly backpressure?: Backpressure;
}
