/** The streams and consumers of a namespace. Missing ones are created, existing ones are updated. */
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
  /** Least number of copies of every stream; more than 1 needs a cluster. A stream with more copies keeps them. Default: 1. */
  readonly replicas: number;
}
const defaults: StreamOptions = { replicas: 1 };

/**
 * Idle-heartbeat interval in ms. After two missed heartbeats the consumer is looked up again; its server may have died silently.
 * With the client's default this takes half a minute.
 */
export const heartbeatMs = 2_500;
/**
 * Options of every consumer loop. After a reconnection, a client that does not find its consumer waits for `expires` before it
 * looks again.
 */
export const consuming = { expires: 2 * heartbeatMs, idle_heartbeat: heartbeatMs } as const;

/** The talk keeps this many lines. It has no limit in bytes, because the server would set that much storage aside for it. */
const maxTalkLines = 1_000;

/** Time in ms after which a message of the waker or timer consumer that a lost node did not acknowledge goes to another node. */
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
    // No limit here; `limitStreams` (capacity/stream-limits.ts) sets the limit of the roster.
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
    // The server schedules messages only in streams with `DiscardPolicy.Old`. This stream has no limits, so it discards nothing.
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
    // The last record of each line of the talk. The oldest lines are dropped.
    ensureStream(jsm, {
      ...common,
      name: subjects.talkStream,
      subjects: [subjects.everyTalk()],
      discard: DiscardPolicy.Old,
      max_msgs: maxTalkLines,
      max_msgs_per_subject: 1,
      allow_direct: true,
    }),
    // The layout of a NATS key-value bucket with one value for each key, so that any KV client can read it.
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
  // A node or an operator may have set more copies and a size limit. Other clients do not know these and leave them unchanged.
  const { num_replicas, max_bytes } = (await jsm.streams.info(config.name)).config;
  const wanted = { ...config, num_replicas: Math.max(num_replicas, config.num_replicas ?? 1), max_bytes };
  if (!(await isAsWanted(jsm, wanted))) await jsm.streams.update(config.name, wanted);
}

/** Creates the stream if it is missing. The server accepts a repeated creation with the same configuration and writes nothing. */
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

/**
 * The durable pull consumer that all workers of a type share. Rule `consumer-limits`: no limit is left to the server's defaults.
 */
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

/**
 * Rule `waker`: all nodes share one durable consumer of the messages that may wake a task. It delivers no payloads, because a waker
 * only needs to know that a message is there.
 */
export async function ensureWakerConsumer(bus: Bus): Promise<string> {
  const name = consumerNames.waker;
  const { subjects } = bus;
  await ensureConsumer(bus, subjects.logStream, {
    durable_name: name,
    filter_subjects: [subjects.every('steering'), subjects.every('result')],
    headers_only: true,
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(wakerLeaseMs),
    max_deliver: -1,
    max_ack_pending: -1,
  });
  return name;
}

/** The durable consumer of timers that are due. All nodes share it. */
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

/** Retries, because a cluster that elects a leader or is making copies refuses a consumer for a moment. */
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
