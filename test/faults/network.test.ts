/**
 * A node behind a bad network. Whatever happens on the link between node and server, tasks end once, steers have one final
 * receipt, and calls reach the outside once.
 */
import { readFileSync } from 'node:fs';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type CrewSession, joinCrew } from '../../actors/node/join.ts';
import type { CoxNode } from '../../actors/node/node.ts';
import type { CrewEvent } from '../../bus/crew-events.ts';
import type { ServerRecord } from '../../bus/embedded/server-record.ts';
import { serverPaths } from '../../bus/embedded/server-record.ts';
import { readState } from '../../bus/state/state-store.ts';
import { foldersOf } from '../../platform/folders.ts';
import { type TestCrew, testCrew } from '../support/crew.ts';
import { never, statusWhere } from '../support/watching.ts';
import { audit, bookkeeper, clerk, goalOf, Operator } from './books.ts';
import { Outside } from './outside.ts';
import { TcpProxy } from './tcp-proxy.ts';

const things = ['apples', 'pears', 'plums'];

let crew: TestCrew;
let driver: CrewSession;
let outside: Outside;
let network: TcpProxy;
let far: CrewSession;
const nodes: CoxNode[] = [];
let tried = 0;
beforeAll(async () => {
  crew = await testCrew();
  crew.model.answer(bookkeeper);
});
afterAll(() => crew.stop());

beforeEach(async () => {
  const namespace = `network${tried++}`;
  driver = await crew.join(`driver-${namespace}`, namespace);
  outside = await Outside.start();
  const server: ServerRecord = JSON.parse(readFileSync(serverPaths(foldersOf(crew.env)).record, 'utf8'));
  network = await TcpProxy.start(server.port);
  far = await joinCrew({
    env: { ...crew.env, NATS_URL: `nats://${server.user}:${server.password}@127.0.0.1:${network.port}` },
    folders: foldersOf(crew.env),
    log: pino({ level: process.env.COX_TEST_LOG ?? 'silent' }),
    start: false,
    signal: AbortSignal.timeout(30_000),
    name: `far-${namespace}`,
    namespace,
  });
});
afterEach(async () => {
  network.weather = { kind: 'fair' };
  for (const node of nodes.splice(0)) await node.stop();
  await far.close();
  await network.stop();
  await outside.stop();
});

const kinds = () => [clerk(async (what) => void (await fetch(`${outside.url}/${what}`)))];
const nodeOf = async (joined: CrewSession, leaseMs: number) => {
  const node = await crew.node(joined, { kinds: kinds(), leaseMs, quietMs: 20 });
  nodes.push(node);
  return node;
};
const farNode = (leaseMs: number) => nodeOf(far, leaseMs);

/** Runs a goal with its steers and checks it from the outside. */
async function keepTheBooks(meanwhile: () => Promise<void>): Promise<void> {
  const id = await driver.crew.dispatch(goalOf(things));
  const operator = new Operator(driver, id);
  await meanwhile();
  const result = await driver.crew.result(id, never);
  expect(result.outcome).toBe('completed');
  for (const thing of things) expect(result.output).toContain(`${thing} is booked in euros`);
  await operator.rest();
  expect(outside.deeds.toSorted()).toEqual(things);
  expect(await audit(driver, id)).toEqual([]);
}

test('a goal ends once when its link breaks during every tool call', async () => {
  await farNode(2_000);
  await keepTheBooks(async () => {
    for (const _ of things) {
      const deed = await outside.next();
      network.cut();
      deed.answer();
      network.cut();
    }
  });
});

test('a goal ends once when its link breaks at every fourth status', async () => {
  await farNode(2_000);
  outside.answerAtOnce();
  const watching = new AbortController();
  let cuts = 0;
  const breaking = (async () => {
    for await (const { kind } of driver.crew.watch(null, watching.signal))
      if (kind === 'status' && cuts++ % 4 === 0) network.cut();
  })();
  await keepTheBooks(async () => {});
  expect(cuts).toBeGreaterThan(10);
  watching.abort();
  await breaking;
});

test('a goal ends once when the network accepts connections and carries nothing during tool calls', async () => {
  await farNode(10_000);
  await keepTheBooks(async () => {
    const deeds = await Promise.all(things.map(() => outside.next()));
    network.weather = { kind: 'deaf' };
    network.cut();
    await network.dialled();
    for (const deed of deeds) deed.answer();
    // The node gives up on the first connection and dials again.
    await network.dialled();
    network.weather = { kind: 'fair' };
    network.cut();
  });
});

test('a goal ends once on a link where everything is late', async () => {
  network.weather = { kind: 'late', ms: 25 };
  await farNode(2_000);
  outside.answerAtOnce();
  await keepTheBooks(async () => {});
});

test('a goal ends once on a link where bytes trickle', async () => {
  await farNode(2_000);
  network.weather = { kind: 'trickle', bytes: 96 };
  outside.answerAtOnce();
  await keepTheBooks(async () => {});
});

test('a silently dead link is noticed within the lease, and its node keeps its task', async () => {
  await farNode(10_000);
  const id = await driver.crew.dispatch({ type: 'clerk', instruction: 'Book quinces' });
  const operator = new Operator(driver, id);
  const deed = await outside.next();
  const link = far.connection()[Symbol.asyncIterator]();
  const change = link.next();
  network.forget();
  // The result of the tool is to be committed before anybody knows that the link is dead.
  deed.answer();
  const died = performance.now();
  expect((await change).value).toBe('disconnected');
  expect((await link.next()).value).toBe('reconnected');
  const noticedMs = performance.now() - died;
  console.log(`a dead link was noticed after ${Math.round(noticedMs)} ms`);
  expect((await driver.crew.result(id, never)).output).toBe('quinces is booked in euros');
  await operator.rest();
  expect(operator.doubts).toBe(0);
  expect(outside.deeds).toEqual(['quinces']);
  expect(await audit(driver, id)).toEqual([]);
});

test('a link that is dead longer than the lease costs a question, and the node behind it changes nothing any more', async () => {
  await farNode(1_000);
  const id = await driver.crew.dispatch({ type: 'clerk', instruction: 'Book medlars' });
  const operator = new Operator(driver, id);
  const deed = await outside.next();
  network.forget();
  const near = await nodeOf(driver, 1_000);
  await statusWhere(driver.crew, id, ({ question }) => question?.kind === 'in-doubt');
  deed.answer();
  expect((await driver.crew.result(id, never)).output).toBe('medlars is booked in euros');
  await near.stop();
  await operator.rest();
  expect(operator.doubts).toBe(1);
  // The node reconnects by itself and takes tasks again.
  outside.answerAtOnce();
  await keepTheBooksAgain(id);
});

test('a client whose link is away when the result comes still gets the result and all statuses', async () => {
  const near = await nodeOf(driver, 10_000);
  const id = await driver.crew.dispatch({ type: 'clerk', instruction: 'Book sloes' });
  const operator = new Operator(driver, id);
  const deed = await outside.next();
  const waiting = far.crew.result(id, never);
  const watching = toldOf(far.crew.watch(id, never), id);
  // The client has looked for the result and found none yet.
  expect(await far.crew.peekResult(id)).toBeNull();
  network.weather = { kind: 'deaf' };
  network.cut();
  await network.dialled();
  deed.answer();
  const result = await driver.crew.result(id, never);
  await operator.rest();
  // Nobody is left to publish it once more.
  await near.stop();
  network.weather = { kind: 'fair' };
  network.cut();
  expect(await waiting).toEqual(result);
  const commits = [...new Set(await watching)];
  // From some commit on, each one up to the last, then the result.
  expect(commits).toEqual(commits.map((_, i) => commits[0]! + i));
  expect(commits.at(-1)).toBe((await readState(driver.bus, id))!.record.commit);
});

/** The commits whose statuses a watch yields before the result. */
async function toldOf(events: AsyncIterable<CrewEvent>, id: string): Promise<number[]> {
  const commits: number[] = [];
  for await (const event of events) {
    if (event.kind === 'status' && event.status.id === id) commits.push(event.status.commit);
    if (event.kind === 'result' && event.id === id) break;
  }
  return commits;
}

async function keepTheBooksAgain(before: string): Promise<void> {
  const told = await audit(driver, before);
  outside.deeds.length = 0;
  await keepTheBooks(async () => {});
  expect(await audit(driver, before)).toEqual(told);
  expect(told).toEqual([]);
}
