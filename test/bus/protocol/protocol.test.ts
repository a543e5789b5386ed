/** docs/protocol describes the bus: the files are up to date, the examples are valid, and a live service answers as they say. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { artifactName } from '../../../bus/artifacts/artifact-name.ts';
import { Artifacts } from '../../../bus/artifacts/artifacts.ts';
import { parseSteering } from '../../../bus/log/steering-log.ts';
import { protocolFiles } from '../../../bus/protocol/protocol-document.ts';
import { examples } from '../../../bus/protocol/protocol-examples.ts';
import { messages, protocolSchemas, Refusal, replies, verbs } from '../../../bus/protocol/protocol-schemas.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';

const folder = join(import.meta.dirname, '../../../docs/protocol');
const names = Object.keys(messages) as (keyof typeof messages)[];
const defs = protocolSchemas((name) => `#/$defs/${name}`);
/** A reader of the published JSON Schema that knows nothing of the zod schemas behind it. */
const published = (name: string) => z.fromJSONSchema({ ...defs[name], $defs: defs } as z.core.JSONSchema.JSONSchema);

let crew: TestCrew;
beforeAll(async () => {
  crew = await testCrew();
});
afterAll(() => crew.stop());

test('the files in docs/protocol match the schemas (else: npm run docs:protocol)', () => {
  const wanted = protocolFiles();
  const there = ['asyncapi.json', ...readdirSync(join(folder, 'schemas')).map((name) => `schemas/${name}`)];
  expect(there.sort()).toEqual(Object.keys(wanted).sort());
  for (const [name, text] of Object.entries(wanted)) expect(readFileSync(join(folder, name), 'utf8'), name).toBe(text);
});

test('every reference in the AsyncAPI document resolves', () => {
  const document = JSON.parse(protocolFiles()['asyncapi.json']!);
  const references: string[] = [];
  JSON.stringify(document, (key, value) => {
    if (key === '$ref') references.push(value);
    return value;
  });
  const lost = references.filter((reference) => {
    const steps = reference.slice(2).split('/');
    return steps.reduce<unknown>((at, step) => (at as Record<string, unknown> | undefined)?.[step], document) === undefined;
  });
  expect(references.length).toBeGreaterThan(100);
  expect(lost).toEqual([]);
});

test.each(names)('the examples of %s fit both of its schemas and have every field without a default', (name) => {
  expect(examples[name].length).toBeGreaterThan(0);
  for (const example of examples[name]) {
    expect(messages[name].safeParse(example).error).toBeUndefined();
    expect(published(name).safeParse(example).error).toBeUndefined();
    const required = (defs[name]?.required ?? []) as string[];
    for (const field of required) {
      const { [field]: _, ...without } = example as Record<string, unknown>;
      expect(published(name).safeParse(without).success, `${name} without ${field}`).toBe(false);
    }
  }
});

test('every steering message has an example', () => {
  const types = messages.SteeringMessage.options.map((option) => option.shape.type.value);
  expect(new Set(examples.SteeringMessage.map((example) => (example as { type: string }).type))).toEqual(new Set(types));
});

test('every payload that README shows on a steering subject is read as the type that README says', () => {
  const readme = readFileSync(join(folder, 'README.md'), 'utf8');
  const shown = [...readme.matchAll(/^\| `(\{.+?\}|[^`{]+)` \| `([a-z-]+)`/gm)];
  expect(shown.length).toBeGreaterThan(8);
  for (const [, payload, type] of shown) {
    const { message, problem } = parseSteering({ data: new TextEncoder().encode(payload), seq: 1, time: new Date(0) });
    expect(problem, payload).toBeNull();
    expect(message?.type, payload).toBe(type);
  }
});

test('a live service answers and refuses every verb as documented', async () => {
  const joined = await crew.join('client');
  await crew.node(joined);
  const asked = new Set<string>();
  const ask = async (verb: string, body: unknown) => {
    asked.add(verb);
    const reply = await joined.bus.nc.request(`${joined.bus.subjects.api()}.${verb}`, JSON.stringify(body), { timeout: 10_000 });
    const refused = reply.headers?.get('Nats-Service-Error-Code');
    return { code: refused ? Number(refused) : 200, body: reply.json() };
  };
  const answers = async (verb: keyof typeof replies, body: unknown) => {
    const reply = await ask(verb, body);
    expect(reply.code, JSON.stringify(reply.body)).toBe(200);
    expect(replies[verb].safeParse(reply.body).error, verb).toBeUndefined();
    return reply.body as { id: string };
  };
  const { id: task } = await answers('dispatch', { type: 'reasoning', instruction: 'Think' });
  const call = await crew.model.next();
  await answers('status', { task });
  await answers('pause', { task, waitMs: 5_000 });
  await answers('resume', { task, waitMs: 5_000 });
  await answers('steer', { task, text: 'faster', urgency: 'after' });
  await answers('answer', { task, question: 'q9', text: 'yes', waitMs: 5_000 });
  await answers('swap', { task, backend: 'other' });
  await answers('redirect', { task, text: 'Think of something else' });
  await answers('budget', { task, steps: 3, waitMs: 5_000 });
  await answers('allow', { task, tool: 'write_file', waitMs: 5_000 });
  const a = { key: 'a', type: 'reasoning', instruction: 'Do a' };
  const planned = { type: 'supervisor', instruction: 'a goal', plan: { tasks: [a], reduce: { by: 'concat' } } };
  const { id: goal } = await answers('dispatch', planned);
  // The redirected task calls the model again meanwhile.
  const ofA = await crew.model.next((call) => call.texts('user').join('\n').includes('Do a'));
  const applied = { receipts: [{ fate: 'accepted' }, { fate: 'applied' }] };
  const b = { key: 'b', type: 'reasoning', instruction: 'Do b', after: ['a'] };
  expect(await answers('add', { task: goal, subTask: b, waitMs: 10_000 })).toMatchObject(applied);
  expect(await answers('rerun', { task: goal, key: 'b', instruction: 'Do b better', waitMs: 10_000 })).toMatchObject(applied);
  expect(await answers('tree', { task: goal })).toMatchObject({ nodes: [{}, { key: 'a' }, { instruction: 'Do b better' }] });
  expect(await answers('drop', { task: goal, key: 'b', waitMs: 10_000 })).toMatchObject(applied);
  await answers('cancel', { task: goal });
  await ofA.closed;
  await answers('result', { task });
  await answers('tree', { task });
  await answers('tasks', {});
  await answers('questions', {});
  const place = { task, call: 's1-0', n: 'made-0' } as const;
  const bytes = Buffer.alloc(300_000, 'a');
  await new Artifacts(joined.bus).store(place, { name: 'a.txt', type: 'text/plain', bytes });
  const ref = artifactName(place);
  expect(await answers('artifacts', { task })).toMatchObject({ artifacts: [{ ref, name: 'a.txt', kind: 'made' }], next: null });
  const second = { artifact: { ref, bytes: 300_000 }, parts: 2, base64: bytes.subarray(2 ** 18).toString('base64') };
  expect(await answers('artifact', { ref, part: 1 })).toMatchObject(second);
  expect(await answers('journal', { task })).toMatchObject({ task, steps: [{ step: 1 }, { step: 2 }, { step: 3 }], forks: [] });
  expect(await answers('talk', {})).toEqual({ lines: [], more: 0 });
  expect(await answers('room', {})).toMatchObject({
    queues: expect.arrayContaining([{ type: 'reasoning', waiting: 0, working: 1 }]),
  });
  await answers('menu', {});
  await answers('roster', {});
  expect(await answers('machine', { machine: 'primary' })).toMatchObject({ machine: 'primary', definition: { id: 'primary' } });
  expect(await answers('machine', { task: goal })).toMatchObject({ machine: 'supervisor', live: { task: goal } });
  await answers('nodes', {});
  await answers('costs', { by: ['day', 'backend', 'kind', 'goal'], reference: { input: 1, output: 2 } });
  expect(await answers('dead', {})).toEqual({ letters: [], next: null, more: 0 });
  const [given] = examples.DeadLetter as readonly (object & { kind: 'task' })[];
  for (const id of ['dead1.0', 'dead2.0']) {
    await joined.bus.js.publish(joined.bus.subjects.letter(id), JSON.stringify({ ...given, id, parent: null }));
    expect(await answers('dead', {})).toMatchObject({ letters: [{ id }] });
    if (id === 'dead1.0') await answers('deadRetry', { id });
    else await answers('deadDrop', { id });
  }
  await answers('cancel', { task, reason: 'enough' });
  expect(await answers('result', { task, waitMs: 10_000 })).toMatchObject({ result: { outcome: 'cancelled' } });
  await call.closed;
  // These two are served in crews with roles only (test/bus/team).
  const served = verbs.filter((verb) => verb !== 'order' && verb !== 'outcome');
  expect([...asked].sort()).toEqual(served.sort());

  for (const [verb, body] of [
    ['status', { task: 'nobody.0' }],
    ['steer', { task, text: '' }],
    ['tree', { task: 'no id' }],
    ['add', { task, key: 'b' }],
    ['budget', { task }],
    ['artifacts', { task: 'nobody.0' }],
    ['artifact', { ref: '../../x' }],
    ['journal', { task: 'nobody.0' }],
    ['menu', { unexpected: 1 }],
    ['machine', {}],
    ['machine', { machine: 'sub-agent', task }],
    ['machine', { machine: 'toString' }],
    ['machine', { task: 'nobody.0' }],
    ['deadRetry', { id: 'dead1.0' }],
    ['deadDrop', { id: 'nobody.0' }],
  ] as const) {
    const refused = await ask(verb, body);
    expect(refused.code).toBe(400);
    expect(Refusal.safeParse(refused.body).error).toBeUndefined();
  }
});
