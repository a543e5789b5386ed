/** A connection with the streams it needs: every part of `bus/` works on one. */
import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import type { Log } from '../platform/log.ts';
import type { Backpressure } from './capacity/backpressure.ts';
import type { RecentRecords } from './state/recent-records.ts';
import type { Subjects } from './subjects.ts';
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
  /** The bus's time: whatever is written down for others, or compared with what they wrote, is of this clock. */
  readonly now: () => Date;
  /** Where it is set, writes wait for room: the work of a node. Without it a full bus is an error. */
  readonly backpressure?: Backpressure;
}
