/** `cox replay`, `fork`, `compare`, `what-if`, `export` and `import` as an operator meets them. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Running, World } from './support/world.ts';

let world: World;
let node: Running;
let calls = 0;
beforeEach(async ({ onTestFailed }) => {
  const made = await World.make();
  world = made;
  onTestFailed(() => console.error(made.story()));
  await world.roster('tools: { gated: [] }\n');
  node = world.start(['up', '--json'], { stdin: null });
  await node.says('stdout', /"node"/);
  calls = 0;
  world.model.answer((call) => {
    calls++;
    const tools = call.texts('tool').length;
    if (tools === 0) call.call('read_file', { path: 'b.txt' });
    else if (tools === 1) call.call('write_file', { path: 'a.txt', text: 'new' });
    else call.reply(`done on ${call.body.model}`);
  });
  writeFileSync(at('a.txt'), 'old');
  writeFileSync(at('b.txt'), 'beside');
});
afterEach(() => world.stop());

const at = (...path: string[]) => join(world.workspace, ...path);
const read = (...path: string[]) => readFileSync(at(...path), 'utf8');
async function written(): Promise<string> {
  const { value } = await world.json<{ id: string }>(['dispatch', 'files', 'change it']);
  expect((await world.cox(['result', value.id])).code).toBe(0);
  expect(read('a.txt')).toBe('new');
  return value.id;
}
const linesOf = (text: string) => text.trim().split('\n');

it('a replay in a pipe prints every step with its prompt, with --json one a line, and calls no model, also without a node', async () => {
  const id = await written();
  const before = calls;
  const words = await world.cox(['replay', id]);
  expect(words.code).toBe(0);
  expect(words.stdout).toMatch(/step 1 .*on main/);
  expect(words.stdout.match(/prompt as it was sent/g)).toHaveLength(3);
  expect(words.stdout).toMatch(/why {4}tool: read_file: beside/);
  expect(words.stdout).toMatch(/│ done on/);
  node.process.kill('SIGTERM');
  await node.ended;
  const { stdout } = await world.cox(['replay', id, '--json', '--from', '2']);
  expect(
    linesOf(stdout)
      .map((line) => JSON.parse(line))
      .map(({ step, outcome, prompt }) => [step, outcome, prompt.is]),
  ).toEqual([
    [2, 'replied', 'as-sent'],
    [3, 'replied', 'as-sent'],
  ]);
  expect((await world.cox(['replay', id, '--speed', '100000'])).stdout.match(/^ {2}end /gm)).toHaveLength(3);
  expect((await world.cox(['replay', id, '--from', '4'])).code).toBe(2);
  expect((await world.cox(['replay', 'none22'])).code).toBe(3);
  expect(calls).toBe(before);
});

it('on a terminal the keys lead to the next step and back, and q gives the terminal back', async () => {
  const id = await written();
  const terminal = world.terminal(['replay', id]);
  await terminal.line(/^1 of 3: space next/);
  terminal.type(' ');
  await terminal.line(/^2 of 3: space next/);
  await terminal.line(/step 2 \(2 of 3\)/);
  terminal.type('b');
  await terminal.line(/^1 of 3: space next/);
  terminal.type('b');
  await terminal.line(/That was the first step/);
  terminal.type('q');
  expect(await terminal.exited).toBe(0);
});

it('a fork works beside its source, in a folder with the files of the step, and both are compared', async () => {
  const id = await written();
  writeFileSync(at('a.txt'), 'by hand');
  const first = await world.cox(['fork', id, '--at', '2', '--backend', 'other']);
  expect(first.stderr).toMatch(/not as they were at step 2.*a\.txt/s);
  const { value } = await world.json<{ id: string; written: string[] }>(['fork', id, '--at', '2', '--files', 'try']);
  expect(value.written).toEqual(['a.txt', 'b.txt']);
  expect((await world.cox(['result', value.id])).code).toBe(0);
  expect([read('try', 'a.txt'), read('try', 'b.txt')]).toEqual(['new', 'beside']);
  const fork = linesOf(first.stdout)[0]!;
  expect((await world.cox(['result', fork])).stdout).toContain('done on other');
  const compared = await world.cox(['compare', id, fork]);
  expect(compared.stdout).toMatch(/A .*on main, 3 steps/);
  expect(compared.stdout).toMatch(/B .*on other, 2 steps/);
  expect(compared.stdout).toMatch(/a\.txt: A changed \(\+1 −1\), B .*: the same content/);
  expect((await world.cox(['fork', id, '--at', '9'])).code).toBe(2);
  expect((await world.cox(['fork', id])).code).toBe(2);
  expect((await world.cox(['fork', id, '--at', '2', '--files', 'try'])).stderr).toContain('is not empty');
});

it('a what-if asks another backend, and changes neither the task nor a file', async () => {
  const id = await written();
  const before = await world.json(['status', id]);
  writeFileSync(at('a.txt'), 'by hand');
  const answer = await world.cox(['what-if', id, '--at', '3', '--backend', 'other']);
  expect(answer.stdout).toMatch(/as it was on main.*done on.*If it were on other.*done on other/s);
  const tool = await world.cox(['what-if', id, '--at', '2', '--backend', 'other']);
  expect(tool.stdout).toMatch(/If it were on other.*→ write_file/s);
  expect(read('a.txt')).toBe('by hand');
  expect(await world.json(['status', id])).toEqual(before);
  expect((await world.cox(['what-if', id, '--at', '3', '--backend', 'none'])).code).toBe(2);
});

it('a tree that was exported is imported beside itself, and read', async () => {
  const id = await written();
  expect((await world.cox(['export', id, '-o', 'out.cox.gz'])).stdout).toContain('No secret was found');
  expect(existsSync(at('out.cox.gz'))).toBe(true);
  expect((await world.cox(['export', id, '-o', 'out.cox.gz'])).stderr).toContain('is there already');
  const { value } = await world.json<{ id: string; was: string }>(['import', 'out.cox.gz']);
  expect(value.was).toBe(id);
  expect((await world.cox(['result', value.id])).stdout).toContain('done on');
  expect((await world.cox(['replay', value.id])).stdout).toMatch(/prompt as it was sent/);
  expect((await world.cox(['undo', value.id, '--yes'])).code).toBe(2);
  writeFileSync(at('bad.cox.gz'), 'hello');
  const bad = await world.cox(['import', 'bad.cox.gz']);
  expect([bad.code, bad.stderr]).toEqual([2, expect.stringContaining('no tree that can be imported')]);
});
