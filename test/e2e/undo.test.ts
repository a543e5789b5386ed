/**
 * `cox undo` and `/undo` as an operator meets them: in a terminal, in a script, with a crew that runs and with one that does not.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Running, World } from './support/world.ts';

let world: World;
let node: Running;
beforeEach(async ({ onTestFailed }) => {
  const made = await World.make();
  world = made;
  onTestFailed(() => console.error(made.story()));
  await world.roster('tools: { gated: [] }\n');
  node = await up();
  world.model.answer((call) => {
    const [, path = '', text = ''] = /write (\S+) (\S+)/.exec(call.texts('user').join()) ?? [];
    if (call.texts('tool').length > 0) call.reply('done');
    else call.call('write_file', { path, text });
  });
});
afterEach(() => world.stop());

async function up(): Promise<Running> {
  const started = world.start(['up', '--json'], { stdin: null });
  await started.says('stdout', /"node"/);
  return started;
}
async function down(): Promise<void> {
  node.process.kill('SIGTERM');
  await node.ended;
}
/** A task that has written a file. */
async function written(path: string, text: string): Promise<string> {
  const { value } = await world.json<{ id: string }>(['dispatch', 'files', `write ${path} ${text}`]);
  expect((await world.cox(['result', value.id])).code).toBe(0);
  expect(has(path)).toBe(text);
  return value.id;
}
const at = (path: string) => join(world.workspace, path);
const has = (path: string) => (existsSync(at(path)) ? readFileSync(at(path), 'utf8') : null);

interface Undone {
  id: string | null;
  of: string;
  files: { path: string }[];
  left: unknown[];
  outcome?: string;
  effects: { target: string; outcome: string }[];
}

describe('cox undo', () => {
  it('shows what it would do and asks; no leaves everything, yes restores', async () => {
    writeFileSync(at('a.txt'), 'old');
    const id = await written('a.txt', 'new');
    const first = world.terminal(['undo', id]);
    await first.line(/^ {2}restore a\.txt.*step 1/);
    await first.line(/Undo this\? \[y\/N\]/);
    first.enter('');
    expect(await first.exited).toBe(5);
    expect(first.lines.join('\n')).toContain('Nothing was undone.');
    expect(has('a.txt')).toBe('new');

    const second = world.terminal(['undo', id]);
    await second.line(/Undo this\?/);
    second.enter('y');
    expect(await second.exited).toBe(0);
    expect(second.lines.join('\n')).toContain(`restored a.txt as before ${id}, step 1`);
    expect(has('a.txt')).toBe('old');
  });

  it('is interrupted at its question by one Ctrl-C, and undoes nothing', async () => {
    const id = await written('a.txt', 'new');
    const terminal = world.terminal(['undo', id]);
    await terminal.line(/Undo this\?/);
    terminal.interrupt();
    expect(await terminal.exited).toBe(130);
    expect(has('a.txt')).toBe('new');
  });

  it('works when the crew does not run any more, and starts it only for as long as it takes', async () => {
    const id = await written('a.txt', 'new');
    await down();
    const shown = await world.json<Undone>(['undo', id, '--dry-run']);
    expect(shown).toMatchObject({ code: 0, value: { id: null, of: id, files: [{ path: 'a.txt' }], left: [] } });
    expect(has('a.txt')).toBe('new');
    const { code, value } = await world.json<Undone>(['undo', id, '--yes']);
    expect({ code, value }).toMatchObject({
      code: 0,
      value: { of: id, outcome: 'completed', effects: [{ target: 'a.txt', outcome: 'done', kind: 'deleted' }] },
    });
    expect(has('a.txt')).toBeNull();
    expect(existsSync(join(world.state, 'nats', 'server.json'))).toBe(false);
    // The undo is a task, so it can be undone too.
    expect((await world.cox(['undo', value.id!, '--yes'])).code).toBe(0);
    expect(has('a.txt')).toBe('new');
  });

  it('asks nobody without a terminal, and says with its exit code what became of it', async () => {
    const id = await written('a.txt', 'new');
    const { code, stderr } = await world.cox(['undo', id]);
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringMatching(/remove a\.txt[\s\S]*--yes/) });
    writeFileSync(at('a.txt'), 'mine');
    const refused = await world.cox(['undo', id, '--yes']);
    expect(refused.code).toBe(1);
    expect(refused.stdout).toContain(`a.txt has changed since ${id}, step 1`);
    expect(has('a.txt')).toBe('mine');
    expect((await world.cox(['undo', 'zzzz', '--yes'])).code).toBe(3);
    expect((await world.cox(['undo', id, 'two', '--yes'])).code).toBe(2);
    const nothing = await world.cox(['undo', id, '7', '--yes']);
    expect({ code: nothing.code, stdout: nothing.stdout }).toEqual({
      code: 0,
      stdout: `Nothing to undo: ${id} has changed no file.\n`,
    });
  });
});

describe('cox artifact', () => {
  it('prints a file as it was before a write, byte for byte', async () => {
    writeFileSync(at('a.txt'), 'old\r\n');
    const id = await written('a.txt', 'new');
    const name = `${id}/s1-0/0`;
    expect(await world.cox(['artifact', name])).toMatchObject({ code: 0, stdout: 'old\r\n' });
    const { value } = await world.json<{ name: string; base64: string }>(['artifact', name]);
    expect(value).toMatchObject({ name, base64: Buffer.from('old\r\n').toString('base64') });
    expect((await world.cox(['artifact', `${id}/s9-0/0`])).code).toBe(3);
    expect((await world.cox(['artifact', id])).code).toBe(2);
  });

  it('has the whole diff of an approval that had to be cut, at the prompt too', async () => {
    await world.roster('tools: { gated: [write_file] }\n');
    await down();
    const lines = Array.from({ length: 500 }, (_, i) => `line-${i}`);
    world.model.answer((call) => {
      if (call.texts('tool').length > 0) call.reply('done');
      else call.call('write_file', { path: 'long.txt', text: lines.join('\n') });
    });
    const terminal = world.terminal([], { columns: 120, rows: 2_000 });
    await terminal.line(/^cox>/);
    terminal.enter('/dispatch files write it');
    const [, name = ''] = /cox artifact (\S+)/.exec(await terminal.line(/All of it: cox artifact/))!;
    expect(terminal.lines.some((line) => line.includes('line-499'))).toBe(false);
    expect((await world.cox(['artifact', name])).stdout).toContain('+line-499');
    terminal.enter(`/artifact ${name}`);
    await terminal.line(/\+line-499/);
  });
});

describe('/undo', () => {
  it('shows the files first, and restores them with yes', async () => {
    const id = await written('a.txt', 'new');
    const terminal = world.terminal();
    await terminal.line(/^cox>/);
    terminal.enter(`/undo ${id}`);
    await terminal.line(/^ {2}remove a\.txt/);
    await terminal.line(new RegExp(`^ +/undo ${id} yes`));
    expect(has('a.txt')).toBe('new');
    terminal.enter(`/undo ${id} yes`);
    await terminal.line(/removed a\.txt as before/);
    expect(has('a.txt')).toBeNull();
    terminal.enter('/undo');
    await terminal.line(/Which task\?/);
  });
});
