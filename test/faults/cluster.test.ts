/** A cluster as docs/operations describes it: three servers, three replicas of everything, one server killed at a time. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Artifacts } from '../../bus/artifacts/artifacts.ts';
import { follow } from '../../bus/log/follow.ts';
import { replicate } from '../../bus/replicas.ts';
import { Memory } from '../../bus/shared-memory.ts';
import { type TestCrew, testCrew } from '../support/crew.ts';
import { never } from '../support/watching.ts';
import { audit, bookkeeper, clerk, goalOf, Operator } from './books.ts';
import { type ServerName, ThreeServers } from './three-servers.ts';

/** The short form kills the leader of the state records; the long one (npm run test:faults) that of each stream. */
const isLong = process.env.COX_FAULTS === 'full';
const threeCopies = 'bus: { replicas: 3 }';

let servers: ThreeServers;
let crew: TestCrew;
beforeAll(async () => {
  servers = await ThreeServers.start();
  crew = await testCrew();
  Object.assign(crew.env, servers.env);
  crew.model.answer(bookkeeper);
});
afterAll(async () => {
  await crew?.stop();
  await servers?.stop();
});

const copiesOf = async ({ bus }: Awaited<ReturnType<TestCrew['join']>>, stream: string) =>
  (await bus.jsm.streams.info(stream)).config.num_replicas;

test('a node raises the streams to the replicas of its roster, and a client without a roster leaves them', async () => {
  const first = await crew.join('first', 'copies');
  const { subjects } = first.bus;
  const streams = [subjects.workStream, subjects.logStream, subjects.timerStream, `KV_${subjects.stateBucket}`];
  const counted = () => Promise.all(streams.map((stream) => copiesOf(first, stream)));
  expect(await counted()).toEqual([1, 1, 1, 1]);
  await new Memory(first.bus).remember('before', 'the copies were asked for', 'test');
  await new Artifacts(first.bus).keep({ task: 'k3xq.0', call: 's1-0', n: 0 }, { bytes: Buffer.from('before') });
  await crew.node(first, { rosterYaml: threeCopies });
  const memory = `KV_${subjects.memoryBucket}`;
  const lazy = [memory, subjects.artifactStream];
  const all = [...(await counted()), ...(await Promise.all(lazy.map((stream) => copiesOf(first, stream))))];
  expect(all).toEqual([3, 3, 3, 3, 3, 3]);
  const client = await crew.join('client', 'copies');
  await crew.node(client, { types: [] });
  expect(await counted()).toEqual([3, 3, 3, 3]);
  await expect(replicate(first.bus, 5)).rejects.toMatchObject({ code: 'nats-too-few-servers' });
});

test.runIf(isLong)('streams get replicas while tasks run on one server, and nothing is lost or done twice', async () => {
  const driver = await crew.join('driver', 'growing');
  const booked: string[] = [];
  const growing = Promise.withResolvers<void>();
  const kinds = [
    clerk(async (thing) => {
      booked.push(thing);
      if (booked.length === 2) growing.resolve();
    }),
  ];
  await crew.node(await crew.join('old', 'growing'), { kinds, leaseMs: 3_000, quietMs: 20 });
  const things = ['apples', 'pears', 'plums', 'quinces'];
  const id = await driver.crew.dispatch(goalOf(things));
  const operator = new Operator(driver, id);
  await growing.promise;
  await crew.node(await crew.join('new', 'growing'), { rosterYaml: threeCopies, kinds, leaseMs: 3_000, quietMs: 20 });
  expect((await driver.crew.result(id, never)).outcome).toBe('completed');
  await operator.rest();
  expect(booked.toSorted()).toEqual(things);
  expect(await audit(driver, id)).toEqual([]);
  expect(await copiesOf(driver, driver.bus.subjects.logStream)).toBe(3);
});

test('a server without a cluster refuses replicas with a hint', async () => {
  const alone = await testCrew();
  try {
    const joined = await alone.join();
    await expect(alone.node(joined, { rosterYaml: threeCopies })).rejects.toMatchObject({
      code: 'nats-no-cluster',
      hint: expect.stringContaining('bus.replicas'),
    });
  } finally {
    await alone.stop();
  }
});

test('an artifact is kept in as many copies as the state records, and is read when the leader of its stream is killed', async () => {
  const driver = await crew.join('keeper', 'keeping');
  await replicate(driver.bus, 3);
  const artifacts = new Artifacts(driver.bus);
  const bytes = Buffer.alloc(1_000_000, 'x');
  await artifacts.keep({ task: 'k3xq.0', call: 's1-0', n: 0 }, { bytes });
  const { artifactStream } = driver.bus.subjects;
  expect(await copiesOf(driver, artifactStream)).toBe(3);
  const leader = (await driver.bus.jsm.streams.info(artifactStream)).cluster!.leader as ServerName;
  await servers.kill(leader);
  try {
    expect(Buffer.compare((await artifacts.read('k3xq.0/s1-0/0'))!.bytes, bytes)).toBe(0);
    await artifacts.keep({ task: 'k3xq.0', call: 's2-0', n: 0 }, null);
  } finally {
    await servers.start(leader);
  }
});

test('a process that follows the log goes on when the server of its consumer is killed', async () => {
  const driver = await crew.join('reader', 'reading');
  await replicate(driver.bus, 3);
  const { subjects, jsm } = driver.bus;
  const stop = new AbortController();
  const said = follow(driver.bus, subjects.logStream, [subjects.of('read.0', 'steering')], 1, stop.signal);
  const next = async () => (await said.next()).value?.string();
  await driver.crew.steer('read.0', { type: 'steer', text: 'first' });
  expect(await next()).toContain('first');
  // A server that has just become the leader of the consumer does not name it at once.
  const leader = async () => (await jsm.consumers.list(subjects.logStream).next())[0]?.cluster?.leader as ServerName | undefined;
  await expect.poll(leader, { timeout: 30_000 }).toBeTruthy();
  const victim = (await leader())!;
  await servers.kill(victim);
  await driver.crew.steer('read.0', { type: 'steer', text: 'second' });
  expect(await next()).toContain('second');
  stop.abort();
  await servers.start(victim);
});

const killed = ['tasks', 'log', 'work'].slice(0, isLong ? 3 : 1);
test.each(killed)(
  'a goal with steers goes on when the leader of the stream %s is killed, and everything ends once',
  async (what) => {
    const driver = await crew.join('driver', what);
    const { subjects, jsm } = driver.bus;
    const stream = { tasks: `KV_${subjects.stateBucket}`, log: subjects.logStream, work: subjects.workStream }[what]!;
    const booked: string[] = [];
    let victim: Promise<ServerName> | null = null;
    const killLeader = async (): Promise<ServerName> => {
      const { cluster } = await jsm.streams.info(stream);
      const leader = cluster?.leader as ServerName;
      await servers.kill(leader);
      return leader;
    };
    const kinds = [
      clerk(async (thing) => {
        booked.push(thing);
        if (booked.length !== 2) return;
        victim = killLeader();
        await victim;
      }),
    ];
    for (const name of ['north', 'south'])
      await crew.node(await crew.join(name, what), { rosterYaml: threeCopies, kinds, leaseMs: 3_000, quietMs: 20 });
    const things = ['apples', 'pears', 'plums', 'quinces'];
    const id = await driver.crew.dispatch(goalOf(things));
    const operator = new Operator(driver, id);
    await operator.steer(id, { type: 'steer', id: 'hurry', text: 'hurry', urgency: 'after' });
    const result = await driver.crew.result(id, never);
    expect(result.outcome).toBe('completed');
    for (const thing of things) expect(result.output).toContain(`${thing} is booked in euros`);
    await operator.rest();
    expect(booked.toSorted()).toEqual(things);
    expect(await audit(driver, id)).toEqual([]);
    // The server comes back with its data and takes part again, so that the next one may be killed.
    await servers.start(await victim!);
  },
);
