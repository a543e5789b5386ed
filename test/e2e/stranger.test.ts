/** A plain client that publishes text to the `steering` subject of a task can do all that an operator can. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Result, Status } from '../../bus/messages.ts';
import { type Bus, publishAsStranger, pythonWithNats } from './support/python.ts';
import { isWorking, World } from './support/world.ts';

const python = await pythonWithNats();
if ('missing' in python) console.log(`Skipped: ${python.missing}`);
const packages = 'packages' in python ? python.packages : '';

let world: World;
let bus: Bus;
beforeAll(async () => {
  world = await World.make();
  const node = world.start(['up', '--json'], { stdin: null });
  await node.says('stdout', /"node"/);
  bus = JSON.parse(readFileSync(join(world.state, 'nats', 'server.json'), 'utf8')) as Bus;
});
afterAll(() => world.stop());

const callAbout = (text: string) => world.model.next((call) => isWorking(call) && call.texts('user').join('\n').includes(text));

it.skipIf('missing' in python)('plain text from nats-py corrects a running task and gets its receipts', async () => {
  const { value } = await world.json<{ id: string }>(['dispatch', 'reasoning', 'fill in the form with my personal email']);
  const call = await callAbout('fill in the form');
  call.say('I type my.self@');
  const steered = publishAsStranger(packages, bus, value.id, 'use my work email, not personal — ü');
  expect(await call.closed).toBe(true);
  const next = await callAbout('use my work email, not personal — ü');
  expect(next.texts('assistant').join()).toContain('I type my.self@');
  expect((await steered).at(-1)).toMatchObject({ kind: 'steer', fate: 'applied', step: 2 });
  next.reply('sent from work');
  expect((await world.json<Result>(['result', value.id])).value.output).toBe('sent from work');
});

it.skipIf('missing' in python)('a malformed message is returned with a reason and changes nothing', async () => {
  const { value } = await world.json<{ id: string }>(['dispatch', 'reasoning', 'go straight on']);
  const call = await callAbout('go straight on');
  const bad: readonly (string | Buffer)[] = [
    JSON.stringify({ type: 'steer', text: 'x', urgency: 'soon' }),
    JSON.stringify({ type: 'explode' }),
    JSON.stringify({ type: 'answer', question: 'q7', text: 'yes' }),
    Buffer.from([0xff, 0xfe, 0x00, 0x80]),
    '',
  ];
  for (const payload of bad) {
    const last = (await publishAsStranger(packages, bus, value.id, payload)).at(-1);
    expect(last).toMatchObject({ fate: 'returned', reason: expect.stringMatching(/\S{3}/) });
  }
  const status = await world.json<Status>(['status', value.id]);
  expect(status.value).toMatchObject({ state: 'thinking', step: 1 });
  call.reply('there');
  expect((await world.json<Result>(['result', value.id])).value).toMatchObject({ outcome: 'completed', output: 'there' });
});

it.skipIf('missing' in python)('a text to an unknown task is returned with that reason', async () => {
  expect(await publishAsStranger(packages, bus, 'zzzz.9', 'hello?')).toMatchObject([
    { fate: 'returned', reason: expect.stringContaining('zzzz.9') },
  ]);
});
