/** Artifacts that tools store by `ToolContext.store`, and read by `ToolContext.artifact`. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { defineKind } from '../../../actors/kinds/define-kind.ts';
import type { CrewSession } from '../../../actors/node/join.ts';
import { defineTool, type MadeArtifact, type Tool, type ToolContext, type ToolOutput } from '../../../actors/tools/tool.ts';
import { Artifacts, sha256Of } from '../../../bus/artifacts/artifacts.ts';
import type { TaskId } from '../../../bus/task-id.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import { never, statusWhere } from '../../support/watching.ts';

let crew: TestCrew;
let joined: CrewSession;
beforeEach(async () => {
  crew = await testCrew();
  joined = await crew.join();
});
afterEach(() => crew.stop());

const bytesOf = (text: string) => new TextEncoder().encode(text);
const png = (text: string) => ({ name: 'page.png', type: 'image/png', bytes: bytesOf(text) });
const textOf = async (ref: string) => Buffer.from((await new Artifacts(joined.bus).readMade(ref)).bytes).toString();

type Run = (word: string, context: ToolContext) => Promise<ToolOutput>;
const tool = (run: Run, effects: Tool['effects'] = 'none') =>
  defineTool({
    name: 'camera',
    description: 'stores things',
    args: z.object({ word: z.string() }),
    effects,
    run: ({ word }, context) => run(word, context),
  });
/** Calls the tool once for each word, one after the other. The texts of its calls are the answer. */
const caller = (run: Run, words: readonly string[], effects?: Tool['effects']) =>
  defineKind({
    name: 'caller',
    tools: [tool(run, effects)],
    limits: { failures: 100 },
    think: ({ step, messages }) => ({
      text: messages.flatMap((message) => (message.role === 'tool' ? [message.text] : [])).join('\n'),
      calls: words.slice(step - 1, step).map((word) => ({ tool: 'camera', args: { word } })),
    }),
  });
const dispatch = () => joined.crew.dispatch({ type: 'caller', instruction: 'x' });
const resultOf = (id: TaskId) => joined.crew.result(id, never);

test.each(['none', 'writes'] as const)('a call of a tool with effects %s stores under names of its own', async (effects) => {
  const made: MadeArtifact[] = [];
  const run: Run = async (word, { store }) => {
    // Neither is waited for: they are stored in the order in which they were given.
    made.push(...(await Promise.all([1, 2].map((n) => store!(png(`${word} ${n}`))))));
    return { text: 'stored' };
  };
  await crew.node(joined, { kinds: [caller(run, ['a', 'b'], effects)] });
  const id = await dispatch();
  const { salvage } = await resultOf(id);
  const refs = ['s1-0/made-0', 's1-0/made-1', 's2-0/made-0', 's2-0/made-1'].map((name) => `${id}/${name}`);
  expect(made.map(({ ref }) => ref)).toEqual(refs);
  expect(made[0]).toEqual({ ref: refs[0], name: 'page.png', type: 'image/png', bytes: 3, sha256: sha256Of(bytesOf('a 1')) });
  expect(await Promise.all(refs.map(textOf))).toEqual(['a 1', 'a 2', 'b 1', 'b 2']);
  expect(salvage.artifacts).toEqual(refs);
  const { head } = await new Artifacts(joined.bus).head(refs[3]!);
  expect(head).toMatchObject({ name: 'page.png', type: 'image/png', step: 2 });
});

test('a second run of a call is given what the first one stored', async () => {
  const artifacts = new Artifacts(joined.bus);
  const place = { task: 'k3xq.1', call: 's1-0', n: 'made-0' } as const;
  const first = await artifacts.store(place, { ...png('first'), step: 1 });
  expect(await artifacts.store(place, { ...png('second'), name: 'other.png', step: 1 })).toEqual(first);
  expect(await textOf(first.ref)).toBe('first');
});

test('a task reads what its tree has stored, and nothing else', async () => {
  const artifacts = new Artifacts(joined.bus);
  const other = await artifacts.store({ task: 'other.1', call: 's1-0', n: 'made-0' }, png('secret'));
  const run: Run = async (word, { store, artifact, task }) => {
    const { ref } = await store!(png('mine'));
    const root = task.split('.')[0];
    const asked = { mine: ref, other: other.ref, gone: `${root}.9/s1-0/made-0`, replaced: `${root}.1/s1-0/0`, none: '../x' }[
      word
    ]!;
    await artifacts.keep({ task: `${root}.1`, call: 's1-0', n: 0 }, { bytes: bytesOf('before') });
    const { bytes, ...label } = await artifact!(asked);
    return { text: `${Buffer.from(bytes)} ${JSON.stringify(label)}` };
  };
  await crew.node(joined, {
    kinds: [caller(run, ['mine', 'other', 'gone', 'replaced', 'none'])],
    rosterYaml: 'tools: { gated: [] }',
  });
  const lines = (await resultOf(await dispatch())).output!.split('\n');
  expect(lines[0]).toBe('mine {"name":"page.png","type":"image/png"}');
  expect(lines[1]).toContain('other.1/s1-0/made-0 is no artifact of');
  expect(lines[2]).toContain('is not kept any more');
  expect(lines[3]).toContain('is not kept any more');
  expect(lines[4]).toContain('../x is no artifact of');
});

test('a call stores at most 32 things', async () => {
  const run: Run = async (word, { store }) => {
    for (let n = 0; n < Number(word); n++) await store!(png(String(n)));
    return { text: 'stored' };
  };
  await crew.node(joined, { kinds: [caller(run, ['33', '1'])] });
  const { output, salvage } = await resultOf(await dispatch());
  expect(output).toBe('Nothing more can be stored: the call has stored 32 things\nstored');
  expect(salvage.artifacts).toHaveLength(33);
});

test('a call that does not wait for what it stores, or stores what is none, harms nobody', async () => {
  const run: Run = async (word, { store }) => {
    if (word === 'wrong') await store!({ ...png('x'), bytes: 'text' as unknown as Uint8Array });
    for (let n = 0; n < 40; n++) void store!(png(String(n)));
    return { text: 'stored' };
  };
  await crew.node(joined, { kinds: [caller(run, ['wrong', 'many', 'more'])] });
  const { outcome, output } = await resultOf(await dispatch());
  expect({ outcome, output }).toEqual({
    outcome: 'completed',
    output: '`bytes` of what is stored must be a Uint8Array\nstored\nstored',
  });
});

test.each([
  ['256 things', 256, 1, 'the task has stored 256 things'],
  ['512 MB', 1, 512 * 2 ** 20, `the task has stored ${512 * 2 ** 20} bytes`],
])('a task that has stored %s stores nothing more, whoever runs it', async (_, count, bytes, said) => {
  const { subjects, js } = joined.bus;
  const run: Run = async (word, { store, task }) => {
    // An earlier worker of the task has stored these, as far as their heads say.
    const head = JSON.stringify({ sha256: 'a'.repeat(64), bytes, parts: 1, name: 'a', type: 'a/b' });
    const places = Array.from({ length: count }, (_, n) => ({ task, call: 'early', n: `made-${n}` }) as const);
    await Promise.all(places.map((place) => js.publish(subjects.artifactHead(place), head)));
    await store!(png(word));
    return { text: 'stored' };
  };
  await new Artifacts(joined.bus).keep({ task: 'k3xq.1', call: 's1-0', n: 0 }, null);
  await crew.node(joined, { kinds: [caller(run, ['a'])] });
  expect((await resultOf(await dispatch())).output).toContain(said);
});

test('where nothing more can be stored a call waits until there is space', async () => {
  await new Artifacts(joined.bus).keep({ task: 'k3xq.1', call: 's1-0', n: 0 }, null);
  const { jsm, subjects } = joined.bus;
  const run: Run = async (word, { store }) => ({ text: (await store!({ ...png(word), bytes: new Uint8Array(100_000) })).ref });
  const full = Promise.withResolvers<void>();
  const note = (said: string) => /^The bus is full/.test(said) && full.resolve();
  await jsm.streams.update(subjects.artifactStream, { max_bytes: 50_000 });
  await crew.node(joined, { kinds: [caller(run, ['a'])], note });
  const id = await dispatch();
  await full.promise;
  expect(await joined.crew.peekResult(id)).toBeNull();
  await jsm.streams.update(subjects.artifactStream, { max_bytes: -1 });
  expect((await resultOf(id)).output).toBe(`${id}/s1-0/made-0`);
});

test('a cancelled call stores nothing more, and its task ends', async () => {
  const begun = Promise.withResolvers<void>();
  const run: Run = async (word, { store, signal }) => {
    await store!(png(word));
    begun.resolve();
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    await store!(png('too late'));
    return { text: 'stored' };
  };
  await crew.node(joined, { kinds: [caller(run, ['a'])] });
  const id = await dispatch();
  await begun.promise;
  await joined.crew.steer(id, { type: 'cancel' });
  expect(await resultOf(id)).toMatchObject({ outcome: 'cancelled', salvage: { artifacts: [`${id}/s1-0/made-0`] } });
  expect((await joined.crew.artifactPage(id)).rows).toHaveLength(1);
});

test('what an approval shows is an artifact for each look, and is not in the place of what the call makes', async () => {
  const shown: MadeArtifact[] = [];
  const shooter: Tool = {
    ...tool(async (word, { store }) => ({ text: (await store!(png(`after ${word}`))).ref }), 'writes'),
    preview: async (_, { store }) => {
      shown.push(await store!(png(`before ${shown.length}`)));
      return { text: `see ${shown.at(-1)!.ref}`, base: 'b' };
    },
  };
  const kind = { ...caller(async () => ({ text: '' }), ['a']), tools: [shooter] };
  await crew.node(joined, { kinds: [kind], rosterYaml: 'tools: { gated: [camera] }' });
  const id = await dispatch();
  const { question } = await statusWhere(joined.crew, id, (status) => status.question !== null);
  expect(question!.text).toContain(shown[0]!.ref);
  await joined.crew.steer(id, { type: 'answer', question: question!.id, text: 'approve' });
  expect((await resultOf(id)).output).toBe(`${id}/s1-0/made-0`);
  expect(await textOf(shown[0]!.ref)).toBe('before 0');
  expect(await textOf(`${id}/s1-0/made-0`)).toBe('after a');
  expect((await joined.crew.artifactPage(id)).rows.map(({ kind: each, step }) => [each, step])).toEqual([
    ['made', 1],
    ['preview', 1],
  ]);
});

test('names and types of what is stored are made harmless', async () => {
  const stored: MadeArtifact[] = [];
  const names = [
    '../../etc/passwd',
    'C:\\Users\\x\\a.png',
    '.bashrc',
    '-rf',
    '\u001b]0;title\u0007a\nb.txt',
    '',
    `${'x'.repeat(500)}.png`,
    '..',
  ];
  const run: Run = async (_, { store }) => {
    for (const name of names) stored.push(await store!({ name, type: 'text/html; charset="\n"', bytes: bytesOf(name) }));
    stored.push(await store!({ name: 'a', type: 'no type', bytes: bytesOf('a') }));
    return { text: 'stored' };
  };
  await crew.node(joined, { kinds: [caller(run, ['a'])] });
  await resultOf(await dispatch());
  expect(stored.map(({ name }) => name)).toEqual([
    'passwd',
    'a.png',
    'bashrc',
    'rf',
    ']0;titleab.txt',
    'artifact',
    `${'x'.repeat(56)}.png`,
    'artifact',
    'a',
  ]);
  expect(stored.map(({ type }) => type)).toEqual([...names.map(() => 'text/html'), 'application/octet-stream']);
});
