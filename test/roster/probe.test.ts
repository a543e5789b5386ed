import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { probe } from '../../roster/probe.ts';
import { delta, never, oneBackend, type Received, type Reply, replyOf, rig, scriptedServer, usageChunk, user } from './rig.ts';

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});
async function open(script: (nth: number, request: Received) => Reply, entry = '') {
  const state = await mkdtemp(join(tmpdir(), 'cox-probe-'));
  const server = await scriptedServer(script);
  const folders = { cache: state, config: state, state };
  const made = rig(oneBackend(server.url, entry), { folders });
  const other = rig(oneBackend(server.url, entry), { folders });
  stops.push(
    () => rm(state, { recursive: true }),
    () => server.stop(),
    () => made.backends.stop(),
    () => other.backends.stop(),
  );
  return { backends: made.backends, other: other.backends, received: server.received };
}

const says = (text: string): Reply => ({ chunks: [delta({ content: text }), delta({}, 'stop'), usageChunk(1_000, 10)] });
const ready: Reply = {
  chunks: [
    delta({ reasoning_content: 'hm' }),
    delta({ tool_calls: [{ index: 0, id: 'c', function: { name: 'ready', arguments: '{"word":"yes"}' } }] }),
    delta({}, 'tool_calls'),
    usageChunk(1_000, 10),
  ],
};

test('a backend that can do everything is told so, with the price of both calls', async () => {
  const { backends } = await open(
    (_nth, { body }) => (body.tools ? ready : says('{"ready": true}')),
    'cost: { input: 1, output: 0 }',
  );
  expect(await probe(backends, 'main', never)).toEqual({
    answers: true,
    replyMs: expect.any(Number),
    callsTools: true,
    fitsShape: true,
    tellsThoughts: true,
    costUsd: 0.002,
  });
});

test('a model that only talks neither calls tools nor fits a shape', async () => {
  const { backends } = await open(() => says('Yes, I am ready.'));
  expect(await probe(backends, 'main', never)).toMatchObject({ answers: true, callsTools: false, fitsShape: false });
});

test('a server that refuses the key does not answer, and says why', async () => {
  const { backends } = await open(() => ({ status: 401, json: { error: { message: 'no such key' } } }));
  expect(await probe(backends, 'main', never)).toEqual({
    answers: false,
    code: 'bad-key',
    why: expect.stringContaining('no such key'),
  });
});

test('what was learnt is forgotten, by other processes too, and learnt again if it still holds', async () => {
  let isOld = true;
  const { backends, other } = await open((_nth, { body }) =>
    isOld && body.tools
      ? { status: 400, json: { error: { message: 'tools is not supported', param: 'tools' } } }
      : body.tools
        ? ready
        : says('{"ready": true, "answer": "ok"}'),
  );
  const tools = [{ name: 'ready', description: '', parameters: { type: 'object' } }];
  await replyOf(backends.call('main', { ...user('x'), tools }, never));
  expect(other.menu()[0]!.learnt).toMatchObject([{ what: expect.stringContaining('tools') }]);
  await probe(other, 'main', never);
  expect(backends.menu()[0]!.learnt).toMatchObject([{ what: expect.stringContaining('tools') }]);
  isOld = false;
  await probe(other, 'main', never);
  expect(backends.menu()[0]!.learnt).toBeUndefined();
});
