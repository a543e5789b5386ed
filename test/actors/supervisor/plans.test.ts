import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { mustBeThere, planOfMap } from '../../../actors/supervisor/map-plan.ts';
import { namesIn } from '../../../actors/supervisor/names-in.ts';
import { planOfPage } from '../../../actors/supervisor/page-plan.ts';
import type { PlanOptions } from '../../../actors/supervisor/plan-request.ts';
import { type NodeResult, sources } from '../../../actors/supervisor/reduce.ts';
import { withCutMark } from '../../../bus/cut-mark.ts';
import type { PlanNode } from '../../../machines/plan.ts';
import type { DecomposeInput } from '../../../machines/supervisor-context.ts';

const map = {
  files: {},
  say: 'an answer' as const,
  kind: 'files',
  items: ['README.md', 'a b', 'a-b', ' README.md '],
  each: 'Read {item} twice: {item}',
  final: 'Join',
};

const kinds = [
  { name: 'files', writes: true, tools: ['read_file', 'write_file'] },
  { name: 'reasoning', writes: false, tools: [] },
];
const goal = { nodes: {}, instruction: 'the goal' };

test('a map becomes one sub-task for each item, with keys that an operator can type', () => {
  const { nodes, reduce } = planOfMap(map, goal, { reducer: 'orchestrator' }, kinds);
  expect(nodes.map(({ key, instruction }) => [key, instruction])).toEqual([
    ['README.md', 'Read README.md twice: README.md'],
    ['a-b', 'Read a b twice: a b'],
    ['a-b-2', 'Read a-b twice: a-b'],
  ]);
  expect(reduce).toEqual({ by: 'orchestrator', instruction: 'Join' });
});

test('sub-tasks about pictures and documents are for a kind that looks at them', () => {
  const looking = [...kinds, { name: 'vision', writes: false, tools: ['look_at'] }];
  const items = ['shot.png', 'notes.txt', 'Bill.PDF'];
  const typesOf = (known: typeof kinds) =>
    planOfMap({ ...map, items }, goal, { reducer: 'concat' }, known).nodes.map(({ type }) => type);
  expect(typesOf(looking)).toEqual(['vision', 'files', 'vision']);
  expect(typesOf(kinds)).toEqual(['files', 'files', 'files']);
  const written = planOfMap(
    { ...map, items, files: { 'shot.png': 'read', 'list.md': 'write' } },
    goal,
    { reducer: 'concat' },
    looking,
  );
  expect(written.nodes.map(({ key, type, after }) => [key, type, after.length])).toEqual([
    ['shot.png', 'vision', 0],
    ['notes.txt', 'files', 0],
    ['Bill.PDF', 'vision', 0],
    ['list.md', 'files', 3],
  ]);
});

test('a new plan does not reuse the keys of sub-tasks that are done', () => {
  const done = { 'README.md': {} as PlanNode };
  expect(planOfMap(map, { ...goal, nodes: done }, { reducer: 'concat' }, kinds).nodes[0]?.key).toBe('README.md-2');
});

test('an instruction without a placeholder names the item at its end', () => {
  const { nodes } = planOfMap({ ...map, each: 'Summarize', items: ['x'] }, goal, { reducer: 'main' }, kinds);
  expect(nodes[0]?.instruction).toBe('Summarize (x)');
});

const reads = (...names: string[]) => Object.fromEntries(names.map((name) => [name, 'read' as const]));

test('a file that the goal asks for has one sub-task, which reads the few files that the goal reads and must write it', () => {
  const files = { ...reads('meeting.txt'), 'summary.txt': 'write' as const };
  const items = ['meeting.txt', 'summary.txt'];
  const { nodes, reduce } = planOfMap(
    { ...map, files, items },
    { ...goal, instruction: 'sum it up' },
    { reducer: 'main' },
    kinds,
  );
  expect(nodes).toMatchObject([{ key: 'summary.txt', type: 'files', after: [], produces: [{ file: 'summary.txt' }] }]);
  expect(nodes[0]?.instruction).toMatch(/^sum it up[\s\S]*write the file summary\.txt/);
  expect(reduce).toEqual({ by: 'backend', backend: 'main', instruction: 'Join' });
});

test('many files are read by sub-tasks of their own, which must write nothing, and then the file is written', () => {
  const names = ['a.txt', 'b.txt', 'c.txt', 'd.txt'];
  const files = { ...reads(...names), 'all.txt': 'write' as const };
  const { nodes } = planOfMap({ ...map, files, items: names }, goal, { reducer: 'main' }, kinds);
  expect(nodes.map(({ key, after, produces }) => [key, after, produces])).toEqual([
    ...names.map((name) => [name, [], []]),
    ['all.txt', names, [{ file: 'all.txt' }]],
  ]);
});

test('a goal that only writes has no sub-task that reads', () => {
  const only = { ...map, files: { 'a.txt': 'write' as const }, items: ['a.txt', 'spelling'] };
  const { nodes } = planOfMap(only, goal, { reducer: 'main' }, kinds);
  expect(nodes.map(({ key, produces }) => [key, produces])).toEqual([['a.txt', [{ file: 'a.txt' }]]]);
});

test('a file is written by a kind that can, whatever kind the model has chosen', () => {
  const poem = { ...map, kind: 'reasoning', files: { 'poem.txt': 'write' as const } };
  expect(planOfMap(poem, goal, { reducer: 'main' }, kinds).nodes[0]?.type).toBe('files');
});

test('of a goal that asks for files alone, code says what was done; asked for an answer too, a model gives it', () => {
  const files = { 'a.txt': 'write' as const };
  const by = (say: 'nothing' | 'an answer') =>
    planOfMap({ ...map, files, say }, goal, { reducer: 'orchestrator' }, kinds).reduce.by;
  expect([by('nothing'), by('an answer')]).toEqual(['effects', 'orchestrator']);
});

test('a goal that writes from a file that is not there is not planned, and says what there is', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'cox-test-'));
  try {
    await writeFile(join(folder, 'a.txt'), 'a');
    const checked = (files: Parameters<typeof mustBeThere>[0]) => mustBeThere(files, { workspace: () => folder });
    await expect(checked({ 'b.txt': 'read', 'c.txt': 'write' })).rejects.toThrow(/reads b\.txt.*has a\.txt/);
    await expect(checked({ 'a.txt': 'read', 'c.txt': 'write' })).resolves.toBeUndefined();
    await expect(checked({ 'b.txt': 'read' })).resolves.toBeUndefined();
    const elsewhere = { workspace: () => join(folder, 'not-on-this-node') };
    await expect(mustBeThere({ 'b.txt': 'read', 'c.txt': 'write' }, elsewhere)).resolves.toBeUndefined();
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('an answer says which results were cut off', () => {
  const node = { key: 'a', status: 'returned', failure: null } as PlanNode;
  const result = { id: 'k3xq.1', outcome: 'completed', output: withCutMark('half', 'length') } as NodeResult['result'];
  expect(sources([{ node, result }])).toBe('Incomplete, because the reply was cut off: a (length)');
});

test('an answer says what was read and done, what it only names, and which sub-tasks failed', () => {
  const node = (key: string, status: PlanNode['status']) => ({ key, status, failure: null }) as PlanNode;
  const done = (id: string) =>
    ({
      ...{ id, outcome: 'completed', output: 'x', sources: ['notes/a.txt'] },
      effects: [
        { call: 's1-0', tool: 'write_file', target: 'b.txt', step: 1, outcome: 'done', kind: 'changed', added: 2, removed: 1 },
      ],
    }) as unknown as NodeResult['result'];
  const failed = {
    id: 'k3xq.3',
    outcome: 'failed',
    failure: { code: 'stuck', message: 'm', retryable: false },
  } as NodeResult['result'];
  const outcomes: NodeResult[] = [
    { node: node('a', 'returned'), result: done('k3xq.1') },
    { node: node('b', 'failed'), result: failed },
    { node: node('c', 'dropped'), result: null },
  ];
  expect(sources(outcomes, 'As notes/a.txt and c.txt say, see b.txt and https://x.example/y.')).toBe(
    [
      'Sources: notes/a.txt (k3xq.1)',
      'Done: wrote b.txt (+2 −1)',
      'Named above, but read by no sub-task: c.txt, https://x.example/y',
      'Failed: b (stuck)',
    ].join('\n'),
  );
  expect(sources([])).toBe('');
});

test('names are found in a text without blanks as fast as in any other', () => {
  const long = 'a'.repeat(5_000_000);
  expect(namesIn(`${long} see docs/a.md, (b.txt). And https://x.example/y. ${long}.md`)).toEqual([
    'docs/a.md',
    'b.txt',
    'https://x.example/y',
  ]);
});

test('a goal about one page is one task in the browser, with the words of the operator, and no model splits it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'cox-page-'));
  await writeFile(join(folder, 'me.md'), 'me');
  const browser = { name: 'browser', writes: false, tools: ['goto', 'click'], about: '' };
  const withBrowser = [...kinds.map((kind) => ({ ...kind, about: '' })), browser];
  const plan = (instruction: string, kindsThere = withBrowser, nodes = {}) =>
    planOfPage(
      { instruction, corrections: [], nodes, backend: null, step: 1 } as unknown as DecomposeInput,
      { kinds: () => kindsThere, workspace: () => folder } as unknown as PlanOptions,
    );
  const instruction = 'Go to http://127.0.0.1:8080/contact and fill in the contact form for me';
  expect(await plan(instruction)).toEqual({
    nodes: [{ key: 'page', type: 'browser', instruction, needs: [], after: [], backend: null }],
    reduce: { by: 'concat' },
  });
  expect((await plan(`${instruction}; see me.md`))?.nodes[0]?.type).toBe('browser');
  expect((await plan(instruction, withBrowser, { page: {} }))?.nodes[0]?.key).toBe('page-2');
  expect(await plan('Read https://a.example/x and write the prices into prices.csv')).toBeNull();
  expect(await plan('Compare https://a.example/x with https://b.example/y')).toBeNull();
  expect(await plan('Read me.md and say who I am')).toBeNull();
  expect(await plan(instruction, withBrowser.slice(0, 2))).toBeNull();
  const withReader = [...withBrowser, { name: 'web', writes: false, tools: ['fetch_page'], about: '' }];
  expect((await plan(instruction, withReader))?.nodes[0]?.type).toBe('browser');
  expect((await plan('Read https://a.example/x and say what it costs', withReader))?.nodes[0]?.type).toBe('web');
  expect((await plan('Öffne https://a.example/x und sag, was es kostet', withReader))?.nodes[0]?.type).toBe('browser');
  await rm(folder, { recursive: true });
});

test('an item that is an address goes to the browser, whatever kind the model has chosen', () => {
  const items = ['https://a.example/x', 'me.md'];
  const browser = { name: 'browser', writes: false, tools: ['goto', 'click'] };
  const { nodes } = planOfMap({ ...map, items }, goal, { reducer: 'main' }, [...kinds, browser]);
  expect(nodes.map(({ type }) => type)).toEqual(['browser', 'files']);
});
