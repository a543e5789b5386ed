import { createConnection } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Kind } from '../../../actors/kinds/kind.ts';
import type { CrewSession } from '../../../actors/node/join.ts';
import { follow } from '../../../bus/log/follow.ts';
import { parseStatus } from '../../../bus/log/projection.ts';
import type { Receipt, SteeringInput } from '../../../bus/messages.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import { HeldTool } from '../../support/tools.ts';
import { finalReceipt, never, receiptsOf, statusWhere, tokenOf } from '../../support/watching.ts';

let crew: TestCrew;
let joined: CrewSession;
let look: HeldTool;
let submit: HeldTool;
let kinds: Kind[];
beforeEach(async () => {
  crew = await testCrew();
  joined = await crew.join();
  look = new HeldTool('look', 'none');
  submit = new HeldTool('submit', 'writes');
  kinds = [
    {
      name: 'form',
      prompt: 'You fill in forms.',
      tools: [look.tool, submit.tool],
      needs: [],
      limits: { steps: 10, failures: 3, repeats: 3, costUsd: null },
    },
  ];
});
afterEach(() => crew.stop());

const dispatch = (instruction = 'Fill in the form') => joined.crew.dispatch({ type: 'form', instruction, backend: 'main' });
const steer = (id: string, message: SteeringInput) => joined.crew.steer(id, message);
const final = async (id: string, message: SteeringInput) => finalReceipt(joined.crew, id, await steer(id, message));

test('a correction in the middle of a task changes the form’s address, and the receipt names the step', async () => {
  await crew.node(joined, { kinds });
  const id = await dispatch('Fill in the form with my email');
  (await crew.model.next()).call('look', {});
  (await look.next()).returns('fields: email');
  const second = await crew.model.next();
  second.say('I will use personal@');
  await tokenOf(joined.crew, id);
  const sent = await steer(id, { type: 'steer', text: 'use my work email, not personal' });
  const third = await crew.model.next();
  expect(await second.closed).toBe(true);
  expect(third.texts('user').at(-1)).toBe('use my work email, not personal');
  third.call('submit', { email: 'me@work.example' });
  const run = await submit.next();
  expect(run.args).toEqual({ email: 'me@work.example' });
  run.returns('submitted');
  (await crew.model.next()).reply('Done.');
  expect((await joined.crew.result(id, never)).outcome).toBe('completed');
  expect(await finalReceipt(joined.crew, id, sent)).toMatchObject({ fate: 'applied', step: 3 });
  expect(submit.runs).toHaveLength(1);
});

test('a tool that only reads is aborted by an urgent correction', async () => {
  await crew.node(joined, { kinds });
  const id = await dispatch();
  (await crew.model.next()).call('look', {});
  const run = await look.next();
  await steer(id, { type: 'steer', text: 'never mind the form' });
  const next = await crew.model.next();
  expect(run.signal.aborted).toBe(true);
  expect(next.texts('tool')[0]).toContain('stopped');
  next.reply('ok');
  await joined.crew.result(id, never);
});

test('a tool that writes finishes after an urgent correction, and the receipt says that the correction waited for it', async () => {
  await crew.node(joined, { kinds });
  const id = await dispatch();
  (await crew.model.next()).call('submit', { email: 'a' });
  const run = await submit.next();
  const sent = await steer(id, { type: 'steer', text: 'not yet!' });
  await statusWhere(joined.crew, id, ({ receipts }) =>
    receipts.some(({ steer: of, fate }) => of === sent.steer && fate === 'queued'),
  );
  expect(run.signal.aborted).toBe(false);
  run.returns('submitted');
  const next = await crew.model.next();
  expect(next.texts('tool')).toEqual(['submitted']);
  expect(next.texts('user').at(-1)).toBe('not yet!');
  next.reply('It was sent already');
  const receipts = await receiptsOf(joined.crew, id, sent);
  expect(receipts.map(({ fate }) => fate)).toEqual(['accepted', 'queued', 'applied']);
  expect(receipts[1]?.reason).toContain('submit was left to finish');
});

test('a `next-step` correction waits for the next model call, an `after` correction for the end', async () => {
  await crew.node(joined, { kinds });
  const id = await dispatch();
  const first = await crew.model.next();
  const last = await steer(id, { type: 'steer', text: 'then sign it', urgency: 'after' });
  const soon = await steer(id, { type: 'steer', text: 'in capitals', urgency: 'next-step' });
  await statusWhere(joined.crew, id, ({ receipts }) => receipts.some(({ steer: of }) => of === soon.steer));
  first.call('look', {});
  (await look.next()).returns('seen');
  const second = await crew.model.next();
  expect(second.texts('user')).toEqual(['Fill in the form', 'in capitals']);
  second.reply('FINISHED');
  const third = await crew.model.next();
  expect(third.texts('user').at(-1)).toBe('then sign it');
  third.reply('SIGNED');
  expect((await joined.crew.result(id, never)).output).toBe('SIGNED');
  expect(await finalReceipt(joined.crew, id, soon)).toMatchObject({ fate: 'applied', step: 2 });
  expect(await finalReceipt(joined.crew, id, last)).toMatchObject({ fate: 'applied', step: 3 });
});

test('a steer that expects a step that is over is returned', async () => {
  await crew.node(joined, { kinds });
  const id = await dispatch();
  await crew.model.next();
  expect(await final(id, { type: 'steer', text: 'x', expect: { step: 0 } })).toMatchObject({
    fate: 'returned',
    reason: 'the task is at step 1, not at step 0',
  });
});

test('corrections sent before the claim are in the first model call, in order, a repeated one once', async () => {
  const id = await dispatch();
  const a = await steer(id, { type: 'steer', id: 'a', text: 'one' });
  const b = await steer(id, { type: 'steer', id: 'b', text: 'two' });
  // The message id is not repeated: a client sends again after the broker has forgotten it.
  joined.bus.nc.publish(joined.bus.subjects.of(id, 'steering'), JSON.stringify({ type: 'steer', id: 'a', text: 'one' }));
  await joined.bus.nc.flush();
  await crew.node(joined, { kinds });
  const call = await crew.model.next();
  expect(call.texts('user')).toEqual(['Fill in the form\n\none\n\ntwo']);
  expect(await finalReceipt(joined.crew, id, a)).toMatchObject({ fate: 'applied', step: 1 });
  expect(await finalReceipt(joined.crew, id, b)).toMatchObject({ fate: 'applied', step: 1 });
  call.reply('ok');
  await joined.crew.result(id, never);
});

test('a correction during a question leaves it open, and the model sees it together with the answer', async () => {
  await crew.node(joined, { kinds });
  const id = await dispatch();
  (await crew.model.next()).call('ask_operator', { question: 'Which address?' });
  const { question } = await statusWhere(joined.crew, id, (status) => status.question !== null);
  const sent = await steer(id, { type: 'steer', text: 'be brief' });
  const after = await statusWhere(joined.crew, id, ({ receipts }) => receipts.some(({ steer: of }) => of === sent.steer));
  expect(after.question).toEqual(question);
  await steer(id, { type: 'answer', question: question!.id, text: 'the one at work' });
  const call = await crew.model.next();
  expect(call.texts('tool')).toEqual(['the one at work']);
  expect(call.texts('user').at(-1)).toBe('be brief');
  call.reply('ok');
  await joined.crew.result(id, never);
});

test('a gated tool runs only after approval, and an approval for a closed question is returned', async () => {
  await crew.node(joined, { kinds, rosterYaml: 'tools: { gated: [submit] }' });
  const id = await dispatch();
  (await crew.model.next()).call('submit', { email: 'a' });
  const { question } = await statusWhere(joined.crew, id, (status) => status.question !== null);
  expect(question).toMatchObject({ kind: 'approval', choices: ['approve', 'deny'] });
  expect(submit.runs).toHaveLength(0);
  expect(await final(id, { type: 'answer', question: question!.id, text: 'approve' })).toMatchObject({ fate: 'applied' });
  (await submit.next()).returns('sent');
  const call = await crew.model.next();
  expect(await final(id, { type: 'answer', question: question!.id, text: 'deny' })).toMatchObject({ fate: 'returned' });
  call.reply('ok');
  await joined.crew.result(id, never);
});

test('a cancelled task keeps its findings and its remaining work', async () => {
  await crew.node(joined, { kinds });
  const id = await dispatch();
  (await crew.model.next()).call('look', {});
  (await look.next()).returns('the form has two fields');
  const call = await crew.model.next();
  call.say('I was about to');
  await tokenOf(joined.crew, id);
  expect(await final(id, { type: 'cancel' })).toMatchObject({ fate: 'applied' });
  expect(await call.closed).toBe(true);
  const result = await joined.crew.result(id, never);
  expect(result).toMatchObject({ outcome: 'cancelled', output: null, usage: { inputTokens: 10 }, salvage: { steps: 2 } });
  expect(result.salvage.findings).toEqual(['the form has two fields', 'I was about to [unfinished]']);
  expect(result.salvage.remaining).toContain('Fill in the form');
});

test('a redirect gives a new instruction and keeps the findings', async () => {
  await crew.node(joined, { kinds });
  const id = await dispatch();
  (await crew.model.next()).call('look', {});
  (await look.next()).returns('two fields');
  const before = await crew.model.next();
  expect(await final(id, { type: 'redirect', text: 'Count the fields instead' })).toMatchObject({ fate: 'applied', step: 3 });
  expect(await before.closed).toBe(true);
  const call = await crew.model.next();
  expect(call.texts('tool')).toEqual(['two fields']);
  expect(call.texts('user').at(-1)).toContain('Count the fields instead');
  expect((await joined.crew.tree(id))[0]?.instruction).toBe('Count the fields instead');
  call.reply('2');
  expect((await joined.crew.result(id, never)).output).toBe('2');
});

test('a swap takes effect with the next call, keeps the history and splits the cost', async () => {
  await crew.node(joined, { kinds });
  const id = await dispatch();
  const first = await crew.model.next();
  expect(await final(id, { type: 'swap', backend: 'nowhere' })).toMatchObject({
    fate: 'returned',
    reason: expect.stringContaining('there are main, other'),
  });
  expect(await final(id, { type: 'swap', backend: 'other' })).toMatchObject({
    fate: 'applied',
    reason: 'other answers from step 2 on, if it comes to that',
  });
  first.call('look', {});
  (await look.next()).returns('seen');
  const second = await crew.model.next();
  expect([first.body.model, second.body.model]).toEqual(['scripted', 'other']);
  expect(second.texts('tool')).toEqual(['seen']);
  second.reply('ok');
  const { usageByBackend } = await joined.crew.result(id, never);
  expect(Object.keys(usageByBackend).sort()).toEqual(['main', 'other']);
});

test('a paused task makes no call until it is resumed', async () => {
  await crew.node(joined, { kinds });
  const id = await dispatch();
  const call = await crew.model.next();
  expect(await final(id, { type: 'pause' })).toMatchObject({ fate: 'applied' });
  expect(await call.closed).toBe(true);
  expect(await joined.crew.status(id)).toMatchObject({ state: 'awaiting-steer', paused: true, question: null });
  const calls = crew.model.calls.length;
  expect(await final(id, { type: 'resume' })).toMatchObject({ fate: 'applied' });
  const next = await crew.model.next();
  expect(crew.model.calls.length).toBe(calls + 1);
  next.reply('ok');
  await joined.crew.result(id, never);
});

test('a task that repeats itself asks for help, and a correction is the help', async () => {
  await crew.node(joined, { kinds });
  const id = await dispatch();
  for (let i = 0; i < 4; i++) {
    (await crew.model.next()).call('look', { at: 'the same' });
    if (i < 3) (await look.next()).returns('nothing');
  }
  const { question } = await statusWhere(joined.crew, id, (status) => status.question !== null);
  expect(question).toMatchObject({ kind: 'stuck', text: expect.stringContaining('look') });
  await steer(id, { type: 'steer', text: 'look elsewhere' });
  const call = await crew.model.next();
  expect(call.texts('user').at(-1)).toBe('look elsewhere');
  call.reply('ok');
  await joined.crew.result(id, never);
});

test('a failing backend is replaced by another that can do the task, and the operator is told', async () => {
  const rosterYaml = '';
  await crew.node(joined, { kinds: [{ ...kinds[0]!, needs: [] }], rosterYaml });
  const id = await joined.crew.dispatch({ type: 'form', instruction: 'Go' });
  const first = await crew.model.next();
  first.fail(503);
  const second = await crew.model.next();
  expect(second.body.model).not.toBe(first.body.model);
  const told = statusWhere(joined.crew, id, ({ note }) => note?.includes('failed') === true);
  second.reply('ok');
  expect((await told).note).toMatch(/(main|other) failed \(overloaded\)/);
  expect((await joined.crew.result(id, never)).output).toBe('ok');
});

test('a bare text from a raw TCP client is a correction, and bad messages are returned with the reason', async () => {
  await crew.node(joined, { kinds });
  const id = await dispatch();
  const first = await crew.model.next();
  const bad = ['{"type":"steer"', '{"type":"steer","text":""}', '{"type":"dance"}', '', '\xff\xfe'];
  await rawPublish(joined, joined.bus.subjects.of(id, 'steering'), [
    ...bad.map((text) => Buffer.from(text, 'latin1')),
    Buffer.from('use my work email'),
  ]);
  const second = await crew.model.next();
  expect(await first.closed).toBe(true);
  expect(second.texts('user').at(-1)).toContain('use my work email');
  const told = await receiptsUntil(id, ({ fate }) => fate === 'applied');
  expect(told.filter(({ fate }) => fate === 'returned').map(({ reason }) => reason?.split(':')[0])).toEqual([
    'the message starts like JSON but cannot be parsed',
    'text',
    'type',
    'the message is empty',
    'the message is not UTF-8 text',
  ]);
  second.reply('ok');
  await joined.crew.result(id, never);
});

/** All receipts of a task, from all its statuses, until one fits. */
async function receiptsUntil(id: string, fits: (receipt: Receipt) => boolean): Promise<Receipt[]> {
  const { bus } = joined;
  const receipts: Receipt[] = [];
  for await (const { data } of follow(bus, bus.subjects.logStream, [bus.subjects.of(id, 'status')], 1, never)) {
    receipts.push(...(parseStatus(data)?.receipts ?? []));
    if (receipts.some(fits)) break;
  }
  return receipts;
}

test('the micro service steers, and its refusals name the field that is wrong', async () => {
  await crew.node(joined, { kinds });
  const ask = async (verb: string, request: unknown) => {
    const reply = await joined.bus.nc.request(`cox.api.${verb}`, JSON.stringify(request), { timeout: 40_000 });
    return { error: reply.headers?.get('Nats-Service-Error') ?? null, body: reply.json<Record<string, unknown>>() };
  };
  const { body } = await ask('dispatch', { type: 'form', instruction: 'Fill it in' });
  const id = String(body.id);
  await crew.model.next();
  const steered = await ask('steer', { task: id, text: 'work email', waitMs: 30_000 });
  expect(steered.body).toMatchObject({ receipts: [{ fate: 'accepted' }, { fate: 'queued' }, { fate: 'applied', step: 2 }] });
  expect(await ask('steer', { task: id, text: '' })).toMatchObject({
    error: expect.stringContaining('text'),
    body: { code: 'bad-request' },
  });
  expect(await ask('status', { task: 'x' })).toMatchObject({
    error: expect.stringContaining('task'),
    body: { code: 'bad-request' },
  });
  (await crew.model.next()).reply('ok');
  expect(await ask('result', { task: id, waitMs: 30_000 })).toMatchObject({ body: { result: { output: 'ok' } } });
});

/** Publishes as a client without a library does: CONNECT and PUB over a socket. */
async function rawPublish({ bus }: CrewSession, subject: string, payloads: readonly Buffer[]): Promise<void> {
  const { user, pass } = await login();
  const [host, port] = bus.nc.getServer().split(':');
  const socket = createConnection({ host: host!, port: Number(port) });
  const pong = Promise.withResolvers<void>();
  socket.on('data', (data) => data.includes('PONG') && pong.resolve());
  socket.on('error', pong.reject);
  socket.write(`CONNECT ${JSON.stringify({ verbose: false, pedantic: false, user, pass, lang: 'raw', version: '0' })}\r\n`);
  for (const payload of payloads)
    socket.write(Buffer.concat([Buffer.from(`PUB ${subject} ${payload.length}\r\n`), payload, Buffer.from('\r\n')]));
  socket.write('PING\r\n');
  await pong.promise;
  socket.destroy();
}

/** The credentials that every terminal of the user reads. */
async function login(): Promise<{ user: string; pass: string }> {
  const { readFile } = await import('node:fs/promises');
  const record = JSON.parse(await readFile(`${joined.folders.state}/nats/server.json`, 'utf8'));
  return { user: record.user, pass: record.password };
}

test('a swap now breaks off the model call in flight, and the new backend answers', async () => {
  await crew.node(joined, { kinds });
  const id = await dispatch();
  const first = await crew.model.next();
  expect(first.body.model).toBe('scripted');
  const receipt = await final(id, { type: 'swap', backend: 'other', urgency: 'now' });
  expect(await first.closed).toBe(true);
  expect(receipt).toMatchObject({ fate: 'applied' });
  const second = await crew.model.next();
  expect(second.body.model).toBe('other');
  second.reply('from the other one');
  expect((await joined.crew.result(id, never)).output).toBe('from the other one');
});
