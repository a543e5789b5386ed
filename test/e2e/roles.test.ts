/** The steps of docs/operations.md for a crew with roles, by the real `cox`. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Receipt, Result, Status } from '../../bus/messages.ts';
import { OwnServer } from '../support/own-server.ts';
import { isWorking, World } from './support/world.ts';

let world: World;
let server: OwnServer;
const folder = () => join(world.folder, 'keeping', 'crew');
const fileOf = (name: string) => join(folder(), `${name}.crew.json`);
/** As the member with this file. */
const as = (name: string) => ({ env: { COX_CREW: fileOf(name), NATS_URL: server.url } });
const keeping = (...args: string[]) => [...args, '--dir', folder()];

beforeAll(async () => {
  world = await World.make();
});
afterAll(async () => {
  await world.stop();
  await server?.stop();
});

it('the keeper makes a crew, and the server starts with its accounts', async () => {
  const made = await world.cox(keeping('crew', 'init'));
  expect(made).toMatchObject({ code: 0, stdout: expect.stringContaining('Include') });
  expect(await world.cox(keeping('crew', 'init'))).toMatchObject({ code: 2, stderr: expect.stringContaining('already') });
  const early = await world.cox(keeping('crew', 'invite', 'machine', '--roles', 'supervisor,worker'));
  expect(early).toMatchObject({ code: 0, stdout: expect.stringContaining('COX_CREW') });
  expect(early.stderr).toContain('cox crew publish');
  for (const file of ['keeper.json', 'accounts.conf', 'machine.crew.json'])
    expect(statSync(join(folder(), file)).mode & 0o077).toBe(0);
  server = await OwnServer.start(world.folder, 'keeping/crew/accounts.conf');
  const env = { NATS_URL: server.url };
  expect(await world.json(keeping('crew', 'publish'), { env })).toEqual({ code: 0, value: { version: 2, members: 1 } });
});

it('who is invited later may log in after a reload, and running nodes know the member at once', async () => {
  const env = { NATS_URL: server.url };
  const node = world.start(['up', '--json'], { ...as('machine'), stdin: null });
  await node.says('stdout', /"node"/);
  for (const [name, role] of [
    ['ann', 'operator'],
    ['eve', 'observer'],
  ] as const)
    expect((await world.json(keeping('crew', 'invite', name, '--roles', role), { env })).value).toMatchObject({
      published: true,
      reload: true,
    });
  expect(await world.cox(['status'], as('ann'))).toMatchObject({ code: 6 });
  await server.reload();
  expect(await world.json(['status'], as('ann'))).toMatchObject({ code: 0, value: { tasks: [] } });
});

it('an operator dispatches, steers and reads by the nodes', async () => {
  const { value: sent } = await world.json<{ id: string }>(['dispatch', 'reasoning', 'fill in the form'], as('ann'));
  const call = await world.model.next((it) => isWorking(it));
  const steered = world.json<{ receipts: Receipt[] }>(['steer', sent.id, 'use my work email'], as('ann'));
  const next = await world.model.next((it) => it.texts('user').join('\n').includes('use my work email'));
  expect(await call.closed).toBe(true);
  expect((await steered).value.receipts.at(-1)).toMatchObject({ fate: 'applied', by: 'ann' });
  next.call('ask_operator', { question: 'Which colour?' });
  let status: Status;
  do status = (await world.json<Status>(['status', sent.id], as('eve'))).value;
  while (status.question === null);
  expect((await world.cox(['inbox'], as('ann'))).stdout).toContain('Which colour?');
  const answered = world.cox(['answer', sent.id, status.question.id, 'blue'], as('ann'));
  (
    await world.model.next((it) => it.texts('tool').join('\n').includes('blue') || it.texts('user').join('\n').includes('blue'))
  ).reply('blue it is');
  expect(await answered).toMatchObject({ code: 0, stdout: expect.stringContaining('by ann') });
  expect((await world.json<Result>(['result', sent.id], as('eve'))).value).toMatchObject({ output: 'blue it is' });
  expect((await world.cox(['tree', sent.id], as('ann'))).code).toBe(0);
  expect((await world.json<{ nodes: unknown[] }>(['nodes'], as('eve'))).value.nodes).toHaveLength(1);
  expect((await world.json(['dead'], as('ann'))).value).toEqual({ letters: [], next: null, more: 0 });
});

it('an operator who hosts nothing runs a goal on the nodes of others', async () => {
  const plan = join(world.folder, 'plan.json');
  const tasks = [{ key: 'a', type: 'reasoning', instruction: 'say it' }];
  writeFileSync(plan, JSON.stringify({ tasks, reduce: { by: 'concat' } }));
  const running = world.json<Result>(['run', '--plan', plan, 'two words'], as('ann'));
  (await world.model.next((it) => isWorking(it))).reply('as you wish');
  expect(await running).toMatchObject({
    code: 0,
    value: { outcome: 'completed', answer: expect.stringContaining('as you wish') },
  });
  expect(await world.cox(['run', 'x'], as('eve'))).toMatchObject({ code: 13, stderr: expect.stringContaining('eve may not') });
});

it('what a role does not allow ends with exit code 13 and says so', async () => {
  expect(await world.cox(['dispatch', 'reasoning', 'x'], as('eve'))).toMatchObject({
    code: 13,
    stderr: expect.stringContaining('eve may not dispatch a task with the role observer'),
  });
  expect(await world.cox(['cancel', 'zzzz.0'], as('eve'))).toMatchObject({ code: 3 });
  expect(await world.cox(['up'], as('ann'))).toMatchObject({ code: 13, stderr: expect.stringContaining('host tasks') });
  expect(await world.cox(['gc'], as('ann'))).toMatchObject({ code: 13 });
});

it('a revoked member is told so, and is cut off by the next reload', async () => {
  const env = { NATS_URL: server.url };
  const { value } = await world.json<{ id: string }>(['dispatch', 'reasoning', 'go on'], as('ann'));
  const call = await world.model.next((it) => isWorking(it));
  expect((await world.json(keeping('crew', 'revoke', 'ann'), { env })).value).toMatchObject({ name: 'ann', published: true });
  const late = await world.cox(['steer', value.id, 'hello'], as('ann'));
  expect(late).toMatchObject({ code: 4, stdout: expect.stringContaining('was removed from the crew') });
  expect(await world.cox(['dispatch', 'reasoning', 'x'], as('ann'))).toMatchObject({ code: 2 });
  await server.reload();
  expect(await world.cox(['status'], as('ann'))).toMatchObject({ code: 6 });
  expect((await world.cox(keeping('crew'))).stdout).toMatch(/ann +operator, revoked/);
  call.reply('done');
  expect((await world.json<Result>(['result', value.id], as('eve'))).value.output).toBe('done');
});

it('a crew file without a server, or one that is no crew file, is refused without its secret', async () => {
  const { seed } = JSON.parse(readFileSync(fileOf('eve'), 'utf8')) as { seed: string };
  const lost = await world.cox(['status'], { env: { COX_CREW: fileOf('eve') } });
  expect(lost).toMatchObject({ code: 6, stderr: expect.stringContaining('NATS_URL') });
  const none = await world.cox(['status'], { env: { COX_CREW: join(folder(), 'accounts.conf') } });
  expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining('cannot be used') });
  expect(lost.stderr + none.stderr).not.toContain(seed);
});

it('wrong words after cox crew are usage errors', async () => {
  expect(await world.cox(keeping('crew', 'dance'))).toMatchObject({ code: 2, stderr: expect.stringContaining('There is no') });
  expect(await world.cox(keeping('crew', 'invite', 'x'))).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('Which roles'),
  });
  expect(await world.cox(keeping('crew', 'invite', 'x', '--roles', 'king'))).toMatchObject({ code: 2 });
  expect(await world.cox(keeping('crew', 'invite', 'a.b', '--roles', 'observer'))).toMatchObject({ code: 2 });
  expect(await world.cox(keeping('crew', 'invite', 'eve', '--roles', 'observer'))).toMatchObject({ code: 2 });
  expect(await world.cox(keeping('crew', 'revoke', 'nobody'))).toMatchObject({ code: 2 });
});
