/** Results that are longer than a record or a message carries (rule `fits`), on a server that takes messages of 1 MB. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { defineKind } from '../../../actors/kinds/define-kind.ts';
import type { CrewSession } from '../../../actors/node/join.ts';
import { Artifacts, maxArtifactBytes, sha256Of } from '../../../bus/artifacts/artifacts.ts';
import { maxInlineBytes, wholeOutput } from '../../../bus/artifacts/long-text.ts';
import { readState } from '../../../bus/state/state-store.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import type { ModelCall } from '../../support/model-server.ts';
import { OwnServer } from '../../support/own-server.ts';
import { never, statusWhere } from '../../support/watching.ts';

let crew: TestCrew;
let joined: CrewSession;
let server: OwnServer;
beforeEach(async () => {
  crew = await testCrew();
  writeFileSync(join(crew.folder, 'accounts.conf'), '');
  server = await OwnServer.start(crew.folder, 'accounts.conf');
  crew.env.NATS_URL = server.url;
  joined = await crew.join();
});
afterEach(async () => {
  await crew.stop();
  await server.stop();
});

/** Texts that do not compress. */
const ascii = (length: number) => randomBytes(length).toString('base64').slice(0, length);
const chinese = (length: number) => Array.from(randomBytes(length), (byte) => String.fromCharCode(0x4e00 + byte * 64)).join('');

const task = (key: string, after: string[] = [], more: object = {}) => ({
  ...{ key, type: 'reasoning', instruction: `Work on ${key}`, after },
  ...more,
});
const goal = (tasks: ReturnType<typeof task>[], reduce: object = { by: 'concat' }) =>
  joined.crew.dispatch({ type: 'supervisor', instruction: 'The goal', plan: { tasks, reduce: reduce as { by: 'concat' } } });
const words = (call: ModelCall) => call.texts('user').join('\n');
const callFor = (key: string) => crew.model.next((call) => words(call).includes(`Work on ${key}`));
const child = (id: string, n: number) => id.replace(/0$/, String(n));
const whole = async (id: string) => wholeOutput(new Artifacts(joined.bus), (await joined.crew.peekResult(id))!);

test.each([
  ['300,000 letters', () => ascii(300_000)],
  ['300,000 Chinese letters', () => chinese(300_000)],
])('a goal ends whose sub-task answers with %s, and nothing of the answer is lost', async (_, make) => {
  await crew.node(joined, { quietMs: 20 });
  const id = await goal([task('a'), task('b', ['a'])]);
  const answer = make();
  (await callFor('a')).reply(answer);
  const b = await callFor('b');
  const { output, whole: kept } = (await joined.crew.peekResult(child(id, 1)))!;
  expect(Buffer.byteLength(output!)).toBeLessThanOrEqual(maxInlineBytes);
  expect(kept).toMatchObject({ bytes: Buffer.byteLength(answer), sha256: sha256Of(Buffer.from(answer)) });
  expect(output).toContain(`more characters: the whole is ${kept!.ref}, ${kept!.bytes} bytes, sha256 ${kept!.sha256}]`);
  expect(words(b)).toContain(kept!.ref);
  b.reply('compared');
  expect((await joined.crew.result(id, never)).outcome).toBe('completed');
  expect(await whole(child(id, 1))).toBe(answer);
  // The goal puts the texts together, and its answer is long too.
  expect(await whole(id)).toBe(`## a\n${answer}\n\n## b\ncompared`);
  const { record } = (await readState(joined.bus, child(id, 1)))!;
  expect(JSON.stringify(record).length).toBeLessThan(500_000);
});

test('an answer of 12 MB is kept whole, and one above the 64 MB of an artifact fails with the reason', async () => {
  const answers: Record<string, string> = { long: ascii(12_000_000), 'too long': 'x'.repeat(maxArtifactBytes + 1) };
  const talker = defineKind({ name: 'talker', think: ({ instruction }) => answers[instruction]! });
  await crew.node(joined, { kinds: [talker] });
  const long = await joined.crew.dispatch({ type: 'talker', instruction: 'long' });
  expect((await joined.crew.result(long, never)).outcome).toBe('completed');
  expect(sha256Of(Buffer.from((await whole(long))!))).toBe(sha256Of(Buffer.from(answers.long!)));
  const tooLong = await joined.crew.dispatch({ type: 'talker', instruction: 'too long' });
  const { question } = await statusWhere(joined.crew, tooLong, (status) => status.question !== null);
  expect(question!.text).toContain('67108865 bytes are more than the 67108864 that are kept');
});

test('a sub-task reads the rest of a long result in pieces, whatever tools its kind has', async () => {
  await crew.node(joined, { quietMs: 20 });
  const id = await goal([task('a'), task('b', ['a'])]);
  const answer = `${ascii(200_000)}THE END`;
  (await callFor('a')).reply(answer);
  let b = await callFor('b');
  const { ref } = (await joined.crew.peekResult(child(id, 1)))!.whole!;
  const read: string[] = [];
  for (let offset = 190_000; offset < answer.length; ) {
    b.call('read_artifact', { ref, offset });
    b = await callFor('b');
    const said = b.texts('tool').at(-1)!;
    const [, text = '', end] =
      /^([^\n]*)\n\[characters \d+ to (\d+) of 200007; (?:go on with offset \d+|the end of the text)\]$/.exec(said)!;
    read.push(text);
    offset = Number(end);
  }
  expect(read.join('')).toBe(answer.slice(190_000));
  b.reply('read');
  const { sources } = (await joined.crew.result(id, never))!;
  expect(sources).toEqual([ref]);
});

test('a result that only a small context cuts is read in pieces too', async () => {
  await crew.node(joined, { quietMs: 20 });
  const id = await goal([task('a'), task('b', ['a'])]);
  const answer = ascii(20_000);
  (await callFor('a')).reply(answer);
  const b = await callFor('b');
  const { output, whole: kept } = (await joined.crew.peekResult(child(id, 1)))!;
  expect(output).toBe(answer);
  expect(kept!.bytes).toBe(20_000);
  b.call('read_artifact', { ref: kept!.ref, offset: 19_990 });
  expect((await callFor('b')).texts('tool').at(-1)).toContain(answer.slice(-10));
});

test('JSON that a task must produce, and the code that checks an answer, are given all of it', async () => {
  const list = JSON.stringify(Array.from({ length: 20_000 }, (_, i) => `item ${i}`));
  const seen: number[] = [];
  const lister = defineKind({
    name: 'lister',
    think: () => list,
    check: (answer) => {
      seen.push(answer.length);
      return null;
    },
  });
  await crew.node(joined, { quietMs: 20, kinds: [lister] });
  const produces = [{ json: z.toJSONSchema(z.array(z.string())) }];
  const id = await goal([task('a', [], { type: 'lister', produces })], { by: 'json' });
  const result = await joined.crew.result(id, never);
  expect(result.outcome).toBe('completed');
  expect(seen).toEqual([list.length]);
  expect(JSON.parse((await whole(id))!)).toEqual({ a: { output: list } });
});

test('a model that reduces sees the beginning of each long result and its ref', async () => {
  await crew.node(joined, { quietMs: 20 });
  const id = await goal([task('a'), task('b')], { by: 'orchestrator', instruction: 'Join' });
  for (const key of ['a', 'b']) (await callFor(key)).reply(ascii(400_000));
  const reduction = await crew.model.next((call) => words(call).includes('Results:'));
  for (const n of [1, 2]) expect(words(reduction)).toContain((await joined.crew.peekResult(child(id, n)))!.whole!.ref);
  reduction.reply('joined');
  expect((await joined.crew.result(id, never)).output).toMatch(/^joined/);
});

test('a mark that a model imitates names nothing but what its own task has stored', async () => {
  await crew.node(joined, { quietMs: 20 });
  const artifacts = new Artifacts(joined.bus);
  const secret = await artifacts.store(
    { task: 'other.1', call: 'result', n: `output-${'a'.repeat(16)}` },
    { name: 'other.txt', type: 'text/plain', bytes: Buffer.from('secret') },
  );
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'Work on a' });
  const said = `x\n\n[… 5 more characters: the whole is ${secret.ref}, 6 bytes, sha256 ${secret.sha256}]`;
  (await callFor('a')).reply(said);
  const result = await joined.crew.result(id, never);
  expect(result.output).toBe(said);
  expect(result.whole).toBeUndefined();
  expect(await wholeOutput(artifacts, result)).toBe(said);
});
