/** The messages that an operator sees when the bus is full, and how they free space. */
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CrewSession, joinCrew } from '../../actors/node/join.ts';
import { foldersOf } from '../../platform/folders.ts';
import { isWorking, type Running, World } from './support/world.ts';

let world: World;
let node: Running;
let joined: CrewSession;
beforeAll(async () => {
  world = await World.make();
  node = world.start(['up', '--json'], { stdin: null });
  await node.says('stdout', /"node"/);
  const log = pino({ level: 'silent' });
  joined = await joinCrew({
    env: world.env,
    log,
    folders: foldersOf(world.env),
    start: false,
    signal: AbortSignal.timeout(120_000),
  });
});
afterAll(async () => {
  await joined.close();
  await world.stop();
});

interface Tasks {
  tasks: { id: string }[];
  full: boolean;
}
interface Findings {
  findings: { id: string; level: string; found: string; hint: string }[];
}
const bus = ({ findings }: Findings) => findings.find(({ id }) => id === 'bus')!;
const dispatch = (instruction: string) => world.json<{ id: string }>(['dispatch', 'reasoning', instruction]);

it('a full bus is reported by every command and refuses new work, and gc frees space for a task that waits', async () => {
  const first = await dispatch('first');
  (await world.model.next(isWorking)).reply('done '.repeat(2_000));
  expect((await world.cox(['result', first.value.id])).code).toBe(0);
  const second = await dispatch('second');
  const call = await world.model.next(isWorking);
  expect((await world.json<Tasks>(['status'])).value.full).toBe(false);

  const { jsm, subjects } = joined.bus;
  const state = `KV_${subjects.stateBucket}`;
  await jsm.streams.update(state, { max_bytes: (await jsm.streams.info(state)).state.bytes });
  call.reply('done '.repeat(1_000));
  await node.says('stderr', /The bus is full.*Work waits until the bus accepts writes/);

  const refused = await world.json<{ error: { code: string; hint: string } }>(['dispatch', 'reasoning', 'x']);
  expect(refused).toMatchObject({ code: 9, value: { error: { code: 'stream-full', hint: expect.stringContaining('cox gc') } } });
  const status = await world.cox(['status']);
  expect(status).toMatchObject({ code: 0, stderr: expect.stringMatching(/The bus is full.*cox gc/s) });
  for (const command of ['status', 'result'])
    await world.start([command, second.value.id], { stdin: null }).says('stderr', /The bus is full.*cox gc/s);
  await world.start(['watch'], { stdin: null }).says('stderr', /The bus is full.*cox gc/s);
  expect((await world.json<Tasks>(['status'])).value).toMatchObject({ full: true, tasks: [{ id: second.value.id }] });
  expect((await world.cox([], { stdin: '/tasks\n' })).stdout).toMatch(/The bus is full.*cox gc/s);
  const doctor = await world.json<Findings>(['doctor']);
  expect(bus(doctor.value)).toMatchObject({
    level: 'problem',
    found: expect.stringContaining('full'),
    hint: expect.stringContaining('cox gc'),
  });

  const dry = await world.cox(['gc', '--older-than', '0s', '--dry-run']);
  expect(dry).toMatchObject({ code: 0, stdout: expect.stringMatching(/Would purge 1 finished tree, about/) });
  const { value } = await world.json<{ purged: { root: string }[] }>(['gc', '--older-than', '0s']);
  expect(value.purged.map(({ root }) => `${root}.0`)).toEqual([first.value.id]);
  expect((await world.cox(['result', second.value.id])).code).toBe(0);
  await node.says('stderr', /The bus accepts writes again/);
  expect((await world.cox(['result', first.value.id])).code).toBe(3);
});

it('gc refuses a malformed duration', async () => {
  const { code, stderr } = await world.cox(['gc', '--older-than', 'soon']);
  expect([code, stderr]).toEqual([2, expect.stringContaining('--older-than: expected a duration')]);
});
