/** The verb `machine`: where a task is in its chart, by its last commit and its statuses. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { machineReport } from '../../../actors/inspect/machine-report.ts';
import type { CrewSession } from '../../../actors/node/join.ts';
import { MachineReport } from '../../../bus/inspect/machine-report.ts';
import { readState, replaceState } from '../../../bus/state/state-store.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import { never, statusWhere } from '../../support/watching.ts';

let crew: TestCrew;
let joined: CrewSession;
beforeAll(async () => {
  crew = await testCrew();
  joined = await crew.join();
  await crew.node(joined, { quietMs: 20 });
});
afterAll(() => crew.stop());

const single = { type: 'reasoning', instruction: 'Use sk-abcdefghijklmnop1234', backend: 'main' };
const report = async (task: string) => MachineReport.parse(await machineReport({ bus: joined.bus }, { task }));

test('a task that waits tells its state, the events that help it on with reasons, and the way that it took', async () => {
  const called = crew.model.next();
  const task = await joined.crew.dispatch(single);
  (await called).call('ask_operator', { question: 'Which nats://ann:geheim@host?' });
  await statusWhere(joined.crew, task, ({ state }) => state === 'awaiting-steer');
  const { machine, live } = await report(task);
  expect(machine).toBe('sub-agent');
  expect(live).toMatchObject({ task, value: 'awaiting-steer', states: ['awaiting-steer'], step: 1, pathLeftOut: 0 });
  const answer = live!.next.find(({ guard }) => guard === 'answersAboutCall');
  expect(answer).toEqual({
    ...{ event: 'ANSWER', target: 'running', guard: 'answersAboutCall', open: true },
    why: 'the open question is about a call',
  });
  expect(live!.path.map(({ path }) => path).slice(-2)).toEqual(['running.thinking', 'awaiting-steer']);
  expect(live!.path.at(-1)!.why).toContain('it asks: Which');
  for (const secret of ['sk-abcdefghijklmnop1234', 'geheim']) expect(JSON.stringify(live)).not.toContain(secret);
  await joined.crew.steer(task, { type: 'cancel' });
  await joined.crew.result(task, never);
  expect((await report(task)).live).toMatchObject({ value: 'done', next: [] });
  expect((await report(task)).live!.path.at(-1)).toMatchObject({ state: 'done', why: expect.stringContaining('cancelled') });
});

test('a task that nobody has claimed is idle, and can be started and cancelled', async () => {
  const task = await joined.crew.dispatch({ ...single, type: 'nobody' });
  const { live } = await report(task);
  expect(live).toMatchObject({ value: 'idle', at: null, path: [] });
  const open = live!.next.filter((next) => next.open).map(({ event }) => event);
  expect(open).toEqual(expect.arrayContaining(['START', 'CANCEL']));
});

test('a checkpoint that this node cannot read is said to be so', async () => {
  const called = crew.model.next();
  const task = await joined.crew.dispatch(single);
  (await called).call('ask_operator', { question: 'Well?' });
  await statusWhere(joined.crew, task, ({ state }) => state === 'awaiting-steer');
  await expect.poll(async () => (await readState(joined.bus, task))?.record.phase).toBe('parked');
  const stored = (await readState(joined.bus, task))!;
  await replaceState(joined.bus, stored, { ...stored.record, machine: { id: 'sub-agent', version: 99 } });
  expect((await report(task)).live).toMatchObject({ next: [], context: {}, unreadable: expect.stringContaining('99') });
});

test('a task and a chart that are not there are refused', async () => {
  await expect(report('nobody.0')).rejects.toMatchObject({ code: 'unknown-task' });
  await expect(machineReport({ bus: joined.bus }, { machine: 'toString' })).rejects.toMatchObject({ code: 'unknown-machine' });
});
