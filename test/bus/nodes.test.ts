import { hostname } from 'node:os';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CrewSession } from '../../actors/node/join.ts';
import { NodeReport } from '../../bus/messages.ts';
import { allNodes } from '../../bus/nodes.ts';
import { type TestCrew, testCrew } from '../support/crew.ts';
import { HeldTool } from '../support/tools.ts';
import { statusWhere } from '../support/watching.ts';

let crew: TestCrew;
let joined: CrewSession;
beforeEach(async () => {
  crew = await testCrew();
  joined = await crew.join();
});
afterEach(() => crew.stop());

test('the list of nodes is empty at once for a crew without nodes', async () => {
  expect(await allNodes(joined.bus)).toEqual([]);
});

test('every node reports its types and its tasks', async () => {
  await crew.node(await crew.join('first'), { types: ['reasoning'], slots: 3 });
  await crew.node(await crew.join('second'), { types: ['files'] });
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'Think' });
  await crew.model.next();
  const status = await statusWhere(joined.crew, id, ({ state }) => state === 'thinking');
  const [first, second, ...more] = await allNodes(joined.bus);
  expect(more).toEqual([]);
  expect(first).toMatchObject({ name: 'first', host: hostname(), pid: process.pid, types: ['reasoning'], slots: 3, held: 1 });
  expect(first).toMatchObject({ draining: false, version: expect.stringMatching(/^\d+\.\d+\.\d+/) });
  expect(first!.tasks).toEqual([{ id, type: 'reasoning', state: 'thinking', step: 1, since: expect.any(String) }]);
  expect(first!.tasks[0]!.since >= first!.since && first!.tasks[0]!.since <= status.at).toBe(true);
  expect(second).toMatchObject({ name: 'second', types: ['files'], slots: 8, held: 0, tasks: [] });
});

test('a draining node is in the list of nodes until its last task is over', async () => {
  const submit = new HeldTool('submit', 'writes');
  const limits = { steps: 9, failures: 3, repeats: 3, costUsd: null };
  const kinds = [{ name: 'form', prompt: 'Fill in.', tools: [submit.tool], needs: [], limits }];
  const node = await crew.node(await crew.join('leaving'), { kinds });
  const id = await joined.crew.dispatch({ type: 'form', instruction: 'Submit it', backend: 'main' });
  (await crew.model.next()).call('submit', {});
  const run = await submit.next();
  const drained = node.drain();
  expect(await allNodes(joined.bus)).toMatchObject([{ name: 'leaving', draining: true, tasks: [{ id, state: 'acting' }] }]);
  run.returns('submitted');
  await drained;
  expect(await allNodes(joined.bus)).toEqual([]);
});

test('a plain client gets one valid report from each node', async () => {
  for (const name of ['first', 'second']) await crew.node(await crew.join(name));
  const { nc, subjects } = joined.bus;
  const names: string[] = [];
  for await (const message of await nc.requestMany(`${subjects.api()}.nodes`, '', {
    strategy: 'count',
    maxMessages: 2,
    maxWait: 30_000,
  }))
    names.push(NodeReport.parse(message.json()).name);
  expect(names.sort()).toEqual(['first', 'second']);
});
