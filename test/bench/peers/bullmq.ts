/** BullMQ: a flow whose children are the sub-tasks, and whose parent job reads their results. */
import { type Start, timed } from './contender.ts';
import { installed } from './packages.ts';
import { redis } from './redis-server.ts';

const version = '6.7.0';
const packages = [`bullmq@${version}`, 'ioredis@6.0.0'];
const concurrency = 100;

interface Connected {
  readonly connection: { readonly path: string; readonly maxRetriesPerRequest: null };
  readonly concurrency?: number;
}
interface Closable {
  close(): Promise<void>;
}
interface Job {
  readonly data: { readonly instruction: string };
  getChildrenValues(): Promise<Record<string, string>>;
  waitUntilFinished(events: Closable): Promise<string>;
}
interface NewJob {
  readonly name: string;
  readonly queueName: string;
  readonly data: object;
  readonly children?: readonly NewJob[];
}
interface Library {
  FlowProducer: new (options: Connected) => Closable & { add(flow: NewJob): Promise<{ job: Job }> };
  Worker: new (queue: string, run: (job: Job) => Promise<string>, options: Connected) => Closable;
  QueueEvents: new (queue: string, options: Connected) => Closable & { waitUntilReady(): Promise<unknown> };
}

export const bullMq: Start = async (surroundings) => {
  const { load } = await installed('bullmq', packages, surroundings);
  const { socket, version: server } = await redis(surroundings);
  const { FlowProducer, Worker, QueueEvents }: Library = load('bullmq');
  const connection = { path: socket, maxRetriesPerRequest: null };
  const flows = new FlowProducer({ connection });
  const events = new QueueEvents('goal', { connection });
  const echo = new Worker('echo', async ({ data }) => data.instruction, { connection, concurrency });
  const reduce = new Worker('goal', async (job) => Object.values(await job.getChildrenValues()).join('\n'), { connection });
  surroundings.ends.defer(async () => {
    await Promise.all([echo, reduce, events, flows].map((part) => part.close()));
  });
  await events.waitUntilReady();
  return {
    name: `BullMQ ${version} flow`,
    stores: `a job with its data and what it returned (${server}, append-only file, fsync each second)`,
    fanOut: (size) =>
      timed(size, async (instructions) => {
        const children = instructions.map((instruction) => ({ name: 'echo', queueName: 'echo', data: { instruction } }));
        const { job } = await flows.add({ name: 'goal', queueName: 'goal', data: {}, children });
        return job.waitUntilFinished(events);
      }),
  };
};
