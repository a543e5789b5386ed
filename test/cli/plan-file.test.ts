import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readPlan } from '../../cli/plan-file.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cox-plan-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
const file = async (text: string) => {
  const path = join(folder, 'plan.yaml');
  await writeFile(path, text);
  return path;
};

test('a plan in YAML is read, and the orchestrator reduces it unless it names another reducer', async () => {
  const plan = await readPlan(
    await file('tasks:\n  - { key: a, type: files, instruction: x }\n  - { key: b, type: files, instruction: y, after: [a] }\n'),
  );
  expect(plan.tasks.map(({ key, after }) => [key, after])).toEqual([
    ['a', []],
    ['b', ['a']],
  ]);
  expect(plan.reduce).toEqual({ by: 'orchestrator', instruction: '' });
});

test('anchors, merges and keys that begin with x- are taken, and a schema keeps its own', async () => {
  const plan = await readPlan(
    await file(
      'x-all: &all { type: files, after: [] }\ntasks:\n  - { <<: *all, key: constructor, instruction: x, x-note: y }\n' +
        '  - { <<: *all, key: b, instruction: y, after: [constructor], produces: [{ json: { type: object, x-order: 1 } }] }\n',
    ),
  );
  expect(plan.tasks.map(({ key, type, after }) => [key, type, after])).toEqual([
    ['constructor', 'files', []],
    ['b', 'files', ['constructor']],
  ]);
  expect(plan.tasks[1]!.produces).toEqual([{ json: { type: 'object', 'x-order': 1 } }]);
});

test.each([
  ['tasks: [', 'Flow sequence'],
  ['tasks: [{ key: a, type: files }]', 'tasks.0.instruction'],
  ['tasks: [{ key: "a b", type: files, instruction: x }]', 'tasks.0.key'],
  ['tasks: []\nreduce: { by: magic }', 'reduce.by'],
  ['tasks: [{ key: a, type: files, instruction: x, after: [b] }]', 'a comes after b'],
  [
    'tasks: [{ key: a, type: f, instruction: x, after: [b] }, { key: b, type: f, instruction: y, after: [a] }]',
    'wait for each other',
  ],
  ['tasks: []', 'there are none'],
  ['tasks: [{ key: a, type: files, instruction: " \\n" }]', 'tasks.0.instruction: it is empty'],
  ['x-a: &a { b: [*a] }\ntasks: []', 'x-a.b.0: an alias of something that contains it'],
  ['tasks: [{ key: a, type: files, instruction: x, __proto__: { backend: b } }]', 'tasks.0.__proto__: not a good name'],
  [
    `a: &a [x]\n${[...'bcdefgh'].map((key, at) => `${key}: &${key} [${Array(9).fill(`*${'abcdefg'[at]}`)}]`).join('\n')}`,
    'alias',
  ],
  ['just words', 'expected object'],
])('%j is refused with the reason', async (text, what) => {
  await expect(readPlan(await file(text))).rejects.toMatchObject({ code: 'bad-plan', message: expect.stringContaining(what) });
});

test('an error names a missing file', async () => {
  await expect(readPlan(join(folder, 'nothing.yaml'))).rejects.toMatchObject({
    code: 'bad-plan',
    message: expect.stringContaining('no such file'),
  });
});

test('a plan may have CR alone as line ends', async () => {
  const plan = await readPlan(await file('tasks:\r  - { key: a, type: files, instruction: x }\rreduce: { by: concat }\r'));
  expect(plan.tasks.map(({ key }) => key)).toEqual(['a']);
});
