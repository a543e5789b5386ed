import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Terminal } from './support/terminal.ts';
import { isPlanning, isReducing, isWorking, planOf, World } from './support/world.ts';

let world: World;
beforeEach(async ({ onTestFailed }) => {
  const made = await World.make();
  world = made;
  onTestFailed(() => console.error(made.story()));
  await mkdir(temporary());
});
afterEach(() => world.stop());

const prompt = /^cox>/;
const temporary = () => join(world.folder, 'tmp');
const written = (name: string) => readFile(join(world.workspace, name), 'utf8');
const roster = () => join(world.folder, 'roster.yaml');

/** An editor that runs a shell script on the file `$1`, and then writes down the file's name and mode. */
async function editor(script: string): Promise<NodeJS.ProcessEnv> {
  const file = join(world.folder, 'editor.sh');
  await writeFile(file, `#!/bin/sh\necho "editing $(basename "$1")"\nls -l "$1" >> ${join(world.folder, 'edited')}\n${script}\n`);
  await chmod(file, 0o755);
  return { EDITOR: file, VISUAL: '', TMPDIR: temporary() };
}
/** Replaces the file by these lines. */
const puts = (...lines: string[]) => `printf '%s\\n' ${lines.map((line) => `'${line}'`).join(' ')} > "$1"`;

/** A task at the prompt that wants to write a file. */
async function asked(terminal: Terminal, name: string, args: object, tool = 'write_file'): Promise<string> {
  await terminal.line(prompt);
  terminal.enter(`/dispatch files write ${name}`);
  (await callAbout(`write ${name}`)).call(tool, args);
  const line = await terminal.line(new RegExp(`^\\? \\S+ wants approval: .*${name}`));
  return line.split(' ')[1]!;
}
const callAbout = (text: string) => world.model.next((call) => isWorking(call) && call.texts('user').join('\n').includes(text));

describe('`edit` at an approval', () => {
  it('runs the call with the text that was saved, says so to the model, and leaves no file behind', async () => {
    const terminal = world.terminal([], { env: await editor(puts('closed on Sundays')) });
    const id = await asked(terminal, 'a.md', { path: 'a.md', text: 'closed on Mondays' });
    terminal.enter(`/answer ${id} q1 edit`);
    await terminal.line(/editing proposed\.md/);
    await terminal.line(new RegExp(`${id} answer applied at step 1: allowed, as edited`));
    const next = await callAbout('write a.md');
    // The editor has added the end of the line; the proposed text had none.
    expect(await written('a.md')).toBe('closed on Sundays');
    expect(next.texts('tool').join()).toContain('The operator has edited your call');
    next.reply('done');
    expect(await readFile(join(world.folder, 'edited'), 'utf8')).toMatch(/^-rw-------/);
    expect(await readdir(temporary())).toEqual([]);
    // The prompt reads keys again.
    terminal.type('half a line');
    await terminal.until(() => terminal.cursor.line === 'cox> half a line', 'the typed line');
  });

  it.each([
    ['changes nothing', 'true', /Nothing was changed/],
    ['empties the text', ': > "$1"', /The text is empty/],
    ['fails', 'exit 3', /editor\.sh ended with 3/],
    ['removes the file', 'rm "$1"', /What the editor left cannot be read/],
  ])('leaves the question open if the editor %s', async (_, script, said) => {
    const terminal = world.terminal([], { env: await editor(script) });
    const id = await asked(terminal, 'a.txt', { path: 'a.txt', text: 'x' });
    terminal.enter(`@${id}? edit`);
    await terminal.line(said);
    expect(await readdir(temporary())).toEqual([]);
    terminal.enter(`@${id}? no`);
    await terminal.line(/answer applied at step 1: denied/);
  });

  it('names an editor that cannot be started', async () => {
    const terminal = world.terminal([], { env: { EDITOR: 'no-such-editor', VISUAL: '' } });
    const id = await asked(terminal, 'a.txt', { path: 'a.txt', text: 'x' });
    terminal.enter(`@${id}? edit`);
    await terminal.line(/The editor no-such-editor cannot be started/);
  });

  it('with `cox answer` edits on a terminal, and says that it needs one elsewhere', async () => {
    const node = world.start(['up', '--json'], { stdin: null });
    await node.says('stdout', /"node"/);
    const { value } = await world.json<{ id: string }>(['dispatch', 'files', 'note it']);
    const watch = world.start(['watch', value.id, '--json'], { stdin: null });
    await watch.says('stdout', /"kind":"status"/);
    (await callAbout('note it')).call('edit_file', { path: 'n.txt', old: 'old', new: 'a' });
    // What the tool would refuse is not asked about.
    const again = await callAbout('note it');
    await writeFile(join(world.workspace, 'n.txt'), 'old\n');
    again.call('edit_file', { path: 'n.txt', old: 'old', new: 'a' });
    await watch.says('stdout', /"kind":"approval"/);
    watch.process.kill('SIGTERM');
    const refused = await world.json<{ error: { message: string } }>(['answer', value.id, 'q1', 'edit']);
    expect(refused).toMatchObject({ code: 2, value: { error: { message: expect.stringContaining('no terminal') } } });
    const terminal = world.terminal(['answer', value.id, 'q1', 'edit'], { env: await editor(puts('new')) });
    expect(await terminal.exited).toBe(0);
    expect(terminal.lines.join('\n')).toMatch(/answer applied at step 2: allowed, as edited/);
    (await callAbout('note it')).reply('done');
    expect(await written('n.txt')).toBe('new\n');
  });
});

describe('in `cox run`', () => {
  it('edits in place, and the terminal is as before afterwards', async () => {
    const terminal = world.terminal(['run', 'Write both'], { env: await editor(puts('edited')) });
    (await world.model.next(isPlanning)).reply(planOf(['one', 'two'], 'files'));
    for (const key of ['one', 'two'])
      (await callAbout(`Do ${key}`)).call('write_file', { path: `${key}.txt`, text: `text of ${key}` });
    await terminal.line(/^answer \S+ q1:/);
    terminal.enter('edit');
    await terminal.line(/answer applied at step 1: allowed, as edited/);
    await terminal.until(() => /^answer \S+ q1:/.test(terminal.cursor.line), 'the second question');
    terminal.enter('show');
    await terminal.until(() => terminal.lines.filter((line) => /wants approval/.test(line)).length === 3, 'the whole question');
    terminal.enter('no, not this one');
    for (const key of ['one', 'two']) (await callAbout(`Do ${key}`)).reply('done');
    (await world.model.next(isReducing)).reply('Both.');
    expect(await terminal.exited).toBe(0);
    const texts = await Promise.all(['one.txt', 'two.txt'].map((name) => written(name).catch(() => null)));
    expect(texts.toSorted()).toEqual(['edited', null]);
  });

  it('leaves the editor alone if the question is answered from elsewhere meanwhile, and then goes on', async () => {
    const pipe = join(world.folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const terminal = world.terminal(['run', 'Write it'], { env: await editor(`${puts('edited')}\nread line < ${pipe}`) });
    (await world.model.next(isPlanning)).reply(planOf(['one'], 'files'));
    (await callAbout('Do one')).call('write_file', { path: 'one.txt', text: 'one' });
    const id = (await terminal.line(/^answer \S+ q1:/)).split(' ')[1]!;
    terminal.enter('edit');
    await terminal.line(/editing proposed\.txt/);
    expect((await world.cox(['answer', id, 'q1', 'no'])).stdout).toMatch(/denied/);
    const next = await callAbout('Do one');
    // Nothing is written over the editor.
    expect(terminal.raw.split('editing proposed.txt').at(-1)).toBe('\r\n');
    await writeFile(pipe, 'go on\n');
    await terminal.line(/answer returned|not open any more/);
    next.reply('done');
    (await world.model.next(isReducing)).reply('It was not allowed.');
    expect(await terminal.exited).toBe(0);
    expect(await written('one.txt').catch(() => null)).toBe(null);
  });

  it('`goal` allows the tool for all tasks of the goal', async () => {
    const terminal = world.terminal(['run', 'Write both']);
    (await world.model.next(isPlanning)).reply(planOf(['one', 'two'], 'files'));
    for (const key of ['one', 'two']) (await callAbout(`Do ${key}`)).call('write_file', { path: `${key}.txt`, text: key });
    await terminal.line(/^answer \S+ q1:/);
    terminal.enter('allow for this goal');
    await terminal.line(/\.0 allow applied/);
    const calls = await Promise.all(['one', 'two'].map((key) => callAbout(`Do ${key}`)));
    expect(await Promise.all([written('one.txt'), written('two.txt')])).toEqual(['one', 'two']);
    calls[0]!.call('write_file', { path: 'three.txt', text: 'three' });
    (await callAbout('Do ')).reply('done');
    expect(await written('three.txt')).toBe('three');
    calls[1]!.reply('done');
    (await world.model.next(isReducing)).reply('All.');
    expect(await terminal.exited).toBe(0);
  });
});

describe('`always` at an approval', () => {
  it('by number with `cox answer` uses the roster of the node that is up, and says which line', async () => {
    const node = world.start(['up', '--json'], { stdin: null });
    await node.says('stdout', /"node"/);
    const { value } = await world.json<{ id: string }>(['dispatch', 'files', 'note it']);
    const call = await callAbout('note it');
    const watch = world.start(['watch', value.id, '--json'], { stdin: null });
    await watch.says('stdout', /"kind":"status"/);
    call.call('write_file', { path: 'n.txt', text: 'n' });
    await watch.says('stdout', /"kind":"approval"/);
    watch.process.kill('SIGTERM');
    await world.cox(['inbox']);
    const { code, stdout, stderr } = await world.cox(['answer', '1', 'always'], { env: { COX_ROSTER: '/nowhere.yaml' } });
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringMatching(/roster\.yaml:\d+ is now `allowed: \[write_file\]`/),
    });
    expect(stdout).toMatch(/allow applied at step 1/);
    (await callAbout('note it')).reply('done');
    expect(await written('n.txt')).toBe('n');
  });

  it('adds a line to the roster, says which, and other goals are not asked', async () => {
    await world.roster('tools:\n  # ask before a file is written\n  gated: [write_file]\n');
    const before = await readFile(roster(), 'utf8');
    const terminal = world.terminal();
    const id = await asked(terminal, 'a.txt', { path: 'a.txt', text: 'a' });
    terminal.enter(`/answer ${id} q1 always`);
    await terminal.line(/roster\.yaml:\d+ is now `allowed: \[write_file\]`/);
    await terminal.line(/allow applied/);
    (await callAbout('write a.txt')).reply('done');
    await terminal.line(/The roster has changed and is in use/);
    const after = await readFile(roster(), 'utf8');
    expect(after).toBe(before.replace('tools:\n', 'tools:\n  allowed: [write_file]\n'));
    terminal.enter('/dispatch files write b.txt');
    (await callAbout('write b.txt')).call('write_file', { path: 'b.txt', text: 'b' });
    (await callAbout('write b.txt')).reply('done');
    expect(await written('b.txt')).toBe('b');
    // Only the tool that was named is allowed.
    terminal.enter('/dispatch files change a.txt');
    (await callAbout('change a.txt')).call('edit_file', { path: 'a.txt', old: 'a', new: 'c' });
    await terminal.line(/wants approval: May it run edit_file on a\.txt/);
  });

  it('is refused where no roster file of the operator is in use, and leaves the question open', async () => {
    const two = join(world.folder, 'two.yaml');
    await writeFile(two, await readFile(roster(), 'utf8'));
    const node = world.start(['up', '--json', '--roster', two], { stdin: null });
    await node.says('stdout', /"node"/);
    const terminal = world.terminal();
    const id = await asked(terminal, 'a.txt', { path: 'a.txt', text: 'a' });
    terminal.enter(`@${id}? always`);
    await terminal.line(/The nodes have different rosters/);
    expect(await readFile(two, 'utf8')).not.toContain('allowed');
    terminal.enter(`@${id}? no`);
    await terminal.line(/answer applied at step 1: denied/);
  });
});

describe('a diff in an approval', () => {
  it('is in colours, is cut to the height of the screen, and is whole in /status', async () => {
    const terminal = world.terminal([], { rows: 16, columns: 60 });
    const text = Array.from({ length: 30 }, (_, n) => `line ${n}\n`).join('');
    const id = await asked(terminal, 'long.txt', { path: 'long.txt', text });
    await terminal.line(new RegExp(`… \\d+ more lines: /status ${id}`));
    await terminal.line(/or: no, with a reason · edit · goal · always/);
    const shown = terminal.lines.findIndex((line) => line.startsWith('?'));
    expect(terminal.lines.length - shown).toBeLessThanOrEqual(16);
    expect(terminal.raw).toContain('\u001b[32m+line 0\u001b[39m');
    expect(terminal.raw).toContain('\u001b[36m@@');
    expect(terminal.lines.some((line) => line.includes('+line 29'))).toBe(false);
    terminal.enter(`/status ${id}`);
    await terminal.line(/\+line 29$/);
  });

  it('Tab offers the words that an approval takes', async () => {
    const terminal = world.terminal();
    const id = await asked(terminal, 'a.txt', { path: 'a.txt', text: 'a' });
    terminal.type(`/answer ${id} q1 al`);
    await terminal.line(/q1 al$/);
    terminal.type('\t');
    await terminal.line(/q1 always$/);
  });
});
