import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CrewSession } from '../../actors/node/join.ts';
import { collect } from '../../bus/capacity/retention.ts';
import { abandonedMs, follow } from '../../bus/log/follow.ts';
import { allNodes } from '../../bus/nodes.ts';
import { pause } from '../../bus/pause.ts';
import { DeadLetters } from '../../bus/queue/dead-letters.ts';
import { Memory } from '../../bus/shared-memory.ts';
import { type TestCrew, testCrew } from '../support/crew.ts';
import { finalReceipt, never } from '../support/watching.ts';

let crew: TestCrew;
beforeAll(async () => {
  crew = await testCrew();
});
afterAll(() => crew.stop());

/** A stream may have 1,000 consumers on a server, and an abandoned one is dropped only after five minutes. */
test('steers that are followed and lists of tasks leave no consumer behind', async () => {
  const joined = await crew.join();
  await crew.node(joined);
  const { bus, crew: client } = joined;
  const consumersOf = async (stream: string) => (await bus.jsm.streams.info(stream)).state.consumer_count;
  const streams = [bus.subjects.logStream, `KV_${bus.subjects.stateBucket}`];
  const count = () => Promise.all(streams.map(consumersOf));
  const before = await count();
  const id = await client.dispatch({ type: 'files', instruction: 'nothing', backend: 'main' });
  for (let i = 0; i < 5; i++) {
    const sent = await client.steer(id, { type: 'cancel' });
    expect((await finalReceipt(client, id, sent)).steer).toBe(sent.steer);
    await client.tasks();
  }
  // A consumer goes a moment after its use.
  while (String(await count()) !== String(before)) await pause(10);
});

/** What an operation may leave on the server and in its process. */
async function leftovers({ bus }: CrewSession): Promise<Record<string, number>> {
  const names = await bus.jsm.streams.names().next();
  const infos = await Promise.all(
    names.map(async (name) => [name, (await bus.jsm.streams.info(name)).state.consumer_count] as const),
  );
  const resources = process.getActiveResourcesInfo();
  const count = (kind: RegExp) => resources.filter((name) => kind.test(name)).length;
  // The client has no public number of its subscriptions.
  const subscriptions = (bus.nc as unknown as { protocol: { subscriptions: { size(): number } } }).protocol.subscriptions.size();
  return { ...Object.fromEntries(infos), subscriptions, sockets: count(/TCP|Pipe/), processes: count(/Process/) };
}

test('no public operation leaves a consumer, a subscription, a socket or a process behind', async () => {
  const joined = await crew.join('books', 'books');
  const { bus, crew: client } = joined;
  await crew.node(joined);
  crew.model.answer((call) => call.reply('done'));
  const memory = new Memory(bus);
  const id = await client.dispatch({ type: 'reasoning', instruction: 'nothing', backend: 'main' });
  await client.result(id, never);
  const leave = new AbortController();
  const operations: Record<string, () => Promise<unknown>> = {
    remember: () => memory.remember('city', 'Bern', 'me'),
    recall: () => memory.recall('city'),
    forget: () => memory.forget('city'),
    tasks: () => client.tasks(),
    tree: () => client.tree(id),
    questions: () => client.questions(),
    status: () => client.status(id),
    result: () => client.result(id, never),
    receipts: async () => finalReceipt(client, id, await client.steer(id, { type: 'cancel' })),
    nodes: () => allNodes(bus),
    letters: () => new DeadLetters(client).list(),
    collect: () => collect(bus, { keep: { finishedAfterMs: null, finishedBytes: null }, dryRun: true }),
    watch: async () => {
      const watching = client.watch(id, leave.signal);
      const first = watching.next();
      await client.steer(id, { type: 'cancel' });
      await first;
      await watching.return(undefined);
    },
  };
  // What is made with the first use stays: the bucket of the memory, the subscription for replies.
  for (const run of Object.values(operations)) await run();
  for (const [name, run] of Object.entries(operations)) {
    const before = await leftovers(joined);
    for (let i = 0; i < 8; i++) await run();
    // A kept connection to the model may close meanwhile, so there may be less than before, and never more.
    const more = async () => Object.entries(await leftovers(joined)).filter(([what, count]) => count > (before[what] ?? 0));
    await expect.poll(more, { message: name, timeout: 20_000 }).toEqual([]);
  }
});

test('a reader that is killed leaves a consumer for seconds, not for minutes', async () => {
  const { bus } = await crew.join('killed', 'killed');
  const configs: (number | undefined)[] = [];
  const stopped = new AbortController();
  const following = follow(bus, bus.subjects.logStream, [bus.subjects.every('status')], 1, stopped.signal).next();
  while (configs.length === 0)
    for await (const { config } of bus.jsm.consumers.list(bus.subjects.logStream))
      if (!config.durable_name) configs.push(config.inactive_threshold);
  stopped.abort();
  await following;
  expect(configs).toEqual([abandonedMs * 1_000_000]);
});
