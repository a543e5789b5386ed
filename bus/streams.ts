/** The streams of a namespace, created where missing and brought up to date where older. */
import {
  AckPolicy,
  type ConsumerConfig,
  DiscardPolicy,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from '@nats-io/jetstream';
import { nanos } from '@nats-io/nats-core';
import type { Bus } from './bus.ts';
import { isConsumerInUse, isStreamNameInUse } from './jetstream-errors.ts';
import { retryRequest } from './retry.ts';
import type { Queue } from './subjects.ts';

export interface StreamOptions {
  /** Copies that every stream has at least; more than 1 needs a cluster. What is there with more keeps them. Default 1. */
  readonly replicas: number;
}
const defaults: StreamOptions = { replicas: 1 };

/**
 * So often, in milliseconds, the server says that it still serves a consumer, also when there is nothing to deliver. Who misses that twice
 * looks for the consumer again: its server in the cluster may be lost without a word. By the client's default that takes half a minute.
 */
export const heartbeatMs = 2_500;
/** How to consume. The client also waits for `expires` until it looks again for a consumer that it did not find after a reconnection. */
export const consuming = { expires: 2 * heartbeatMs, idle_heartbeat: heartbeatMs } as const;

/** A node that is lost while it judges a wake-up delays it by so long. */
const wakerLeaseMs = 5_000;

export async function setUpStreams(
  { jsm, subjects }: Pick<Bus, 'jsm' | 'subjects'>,
  options: Partial<StreamOptions> = {},
): Promise<void> {
  const { replicas } = { ...defaults, ...options };
  const common = {
    allow_atomic: true,
    storage: StorageType.File,
    num_replicas: replicas,
    // `limitStreams` (stream-size.ts) sets what the roster says.
    max_bytes: -1,
    discard: DiscardPolicy.New,
  };
  await Promise.all([
    ensureStream(jsm, {
      ...common,
      name: subjects.workStream,
      subjects: [subjects.ticket('*', 'pending'), subjects.ticket('*', 'wake')],
      retention: RetentionPolicy.Workqueue,
    }),
    // The server schedules messages only in streams that discard old ones; without limits this one discards none.
    ensureStream(jsm, {
      ...common,
      name: subjects.timerStream,
      subjects: [subjects.timer('*.*', 'set'), subjects.timer('*.*', 'due')],
      discard: DiscardPolicy.Old,
      allow_atomic: false,
      max_msgs_per_subject: 1,
      allow_msg_schedules: true,
      allow_msg_ttl: true,
    }),
    ensureStream(jsm, {
      ...common,
      name: subjects.logStream,
      subjects: [subjects.every('status'), subjects.every('steering'), subjects.every('result')],
      retention: RetentionPolicy.Limits,
      allow_direct: true,
    }),
    // The layout of a NATS key-value bucket with one value per key, so that any KV client can read it.
    ensureStream(jsm, {
      ...common,
      name: `KV_${subjects.stateBucket}`,
      subjects: [`$KV.${subjects.stateBucket}.>`],
      max_msgs_per_subject: 1,
      deny_delete: true,
      allow_rollup_hdrs: true,
      allow_direct: true,
    }),
  ]);
}

async function ensureStream(jsm: JetStreamManager, config: Partial<StreamConfig> & { name: string }): Promise<void> {
  if (await isAsWanted(jsm, config)) return;
  // A client that knows nothing of a cluster, or of a limit, leaves the copies and the limit that a node or an operator has asked for.
  const { num_replicas, max_bytes } = (await jsm.streams.info(config.name)).config;
  const wanted = { ...config, num_replicas: Math.max(num_replicas, config.num_replicas ?? 1), max_bytes };
  if (!(await isAsWanted(jsm, wanted))) await jsm.streams.update(config.name, wanted);
}

/** Creates it where it is missing. Creating what is there with the same configuration is no error for the server, and no write either. */
async function isAsWanted(jsm: JetStreamManager, config: Partial<StreamConfig> & { name: string }): Promise<boolean> {
  try {
    await jsm.streams.add(config);
    return true;
  } catch (cause) {
    if (!isStreamNameInUse(cause)) throw cause;
    return false;
  }
}

export const consumerNames = {
  tickets: (type: string, queue: Queue) => `${queue}-${type}`,
  waker: 'waker',
  timers: 'due',
};

/** The durable pull consumer that all workers of a type share. Rule `consumer-limits`: the limits are ours, not the server's defaults. */
export async function ensureTicketConsumer(bus: Bus, type: string, queue: Queue, leaseMs: number): Promise<string> {
  const name = consumerNames.tickets(type, queue);
  await ensureConsumer(bus, bus.subjects.workStream, {
    durable_name: name,
    filter_subject: bus.subjects.ticket(type, queue),
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(leaseMs),
    max_deliver: -1,
    max_ack_pending: -1,
  });
  return name;
}

/** Rule `waker`: one durable consumer on what may wake a task, shared by all nodes. */
export async function ensureWakerConsumer(bus: Bus): Promise<string> {
  const name = consumerNames.waker;
  const { subjects } = bus;
  await ensureConsumer(bus, subjects.logStream, {
    durable_name: name,
    filter_subjects: [subjects.every('steering'), subjects.every('result')],
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(wakerLeaseMs),
    max_deliver: -1,
    max_ack_pending: -1,
  });
  return name;
}

/** Timers that are due, shared by all nodes. */
export async function ensureTimerConsumer(bus: Bus): Promise<string> {
  const name = consumerNames.timers;
  const { subjects } = bus;
  await ensureConsumer(bus, subjects.timerStream, {
    durable_name: name,
    filter_subject: subjects.timer('*.*', 'due'),
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(wakerLeaseMs),
    max_deliver: -1,
    max_ack_pending: -1,
  });
  return name;
}

/** Patient: a cluster that looks for a leader, or is about to make copies, has no room for a consumer for a moment. */
const ensureConsumer = (bus: Bus, stream: string, config: Partial<ConsumerConfig> & { durable_name: string }): Promise<void> =>
  retryRequest(bus, `consumer ${config.durable_name}`, async () => {
    const { consumers } = bus.jsm;
    try {
      await consumers.add(stream, config);
    } catch (cause) {
      if (!isConsumerInUse(cause)) throw cause;
      await consumers.update(stream, config.durable_name, config);
    }
  });
