import { execFileSync } from 'node:child_process';
import { chmod, chown, link, mkdir, readdir, readFile, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { listFiles } from '../../../../actors/tools/files/list-files.ts';
import { readFileTool } from '../../../../actors/tools/files/read-file.ts';
import { searchFiles } from '../../../../actors/tools/files/search-files.ts';
import { writeFileTool } from '../../../../actors/tools/files/write-file.ts';
import type { Tool } from '../../../../actors/tools/tool.ts';
import { Folder } from './folder.ts';

let made: Folder;
let folder: string;
let workspace: string;
beforeEach(async () => {
  made = await Folder.make();
  ({ folder, workspace } = made);
  await mkdir(join(workspace, 'docs'), { recursive: true });
  await writeFile(join(workspace, 'a.txt'), 'alpha\nBeta\n');
  await writeFile(join(workspace, 'docs', 'b.txt'), 'beta again');
  await writeFile(join(folder, 'secret.txt'), 'secret beta');
});
afterEach(() => made.remove());

const run = (tool: Tool, args: unknown) => made.run(tool, args);
const text = (tool: Tool, args: unknown) => made.text(tool, args);

test('the tools list, read and search files in all folders', async () => {
  expect(await text(listFiles, {})).toBe('a.txt\ndocs/');
  expect(await text(readFileTool, { path: 'docs/b.txt' })).toBe('beta again');
  expect((await text(searchFiles, { query: 'BETA' })).split('\n').sort()).toEqual(['a.txt:2: Beta', 'docs/b.txt:1: beta again']);
});

test.each(['../secret.txt', '/etc/passwd', 'docs/../../secret.txt', 'a\0b'])(
  'the path %j is refused, for writing too',
  async (path) => {
    await expect(text(readFileTool, { path })).rejects.toThrow(/outside|zero/);
    await expect(run(writeFileTool, { path, text: 'x' })).rejects.toThrow(/outside|zero/);
  },
);

test('a pipe is not read, since the read might never end', async () => {
  execFileSync('mkfifo', [join(workspace, 'pipe')]);
  await expect(text(readFileTool, { path: 'pipe' })).rejects.toThrow('not a regular file');
  expect(await text(searchFiles, { query: 'again' })).toBe('docs/b.txt:1: beta again');
});

test('a search says what it did not look at, and whether there is more', async () => {
  await writeFile(join(workspace, 'picture.png'), Buffer.from([0, 1, 2]));
  const found = await text(searchFiles, { query: 'needle' });
  expect(found).toContain('nothing that was searched');
  expect(found).toContain('1 file that');
  await writeFile(join(workspace, 'many.txt'), 'hit\n'.repeat(500));
  expect(await text(searchFiles, { query: 'hit' })).toContain('there may be more');
});

test('a search looks into files of any size and any encoding, and shows the part of a long line that has the hit', async () => {
  await writeFile(join(workspace, 'big.log'), `${'a line\n'.repeat(400_000)}NEEDLE\n`);
  await writeFile(join(workspace, 'wide.txt'), Buffer.from('\uFEFFone\r\nthe Needle\r\n', 'utf16le'));
  await writeFile(join(workspace, 'old.txt'), Buffer.from('caf\xe9: needle', 'latin1'));
  await writeFile(join(workspace, 'min.js'), `${'x'.repeat(3_000_000)}needle${'y'.repeat(900)}`);
  const { text: found, sources } = await run(searchFiles, { query: 'needle' });
  const rows = found.split('\n').sort();
  expect(rows.slice(0, 1)).toEqual(['big.log:400001: NEEDLE']);
  expect(rows[1]).toMatch(/^min\.js:1: … x+needley+$/);
  expect(rows.slice(2)).toEqual(['old.txt:1: café: needle', 'wide.txt:2: the Needle']);
  expect([...sources!].sort()).toEqual(['big.log', 'min.js', 'old.txt', 'wide.txt']);
});

test('a hit across two of the pieces in which a file is read is found', async () => {
  await writeFile(join(workspace, 'long.txt'), `first\n${'x'.repeat(1_048_576 - 3)}needle${'y'.repeat(2_000_000)}\n`);
  expect(await text(searchFiles, { query: 'needle' })).toMatch(/^long\.txt:2: .*needley+$/);
});

test('a hit is never cut within a character', async () => {
  await writeFile(join(workspace, 'emoji.txt'), `NEEDLE${'x'.repeat(193)}${'👩‍🚀'.repeat(9)}`);
  expect(await text(searchFiles, { query: 'needle' })).toMatch(/^emoji\.txt:1: NEEDLEx{193}$/);
});

test('one folder that cannot be read does not end a search', async () => {
  const deep = join(workspace, 'deep');
  // Longer than the system allows for one path: made and entered step by step, the lowest folders cannot be read by their names.
  const dig =
    "const { mkdirSync } = require('node:fs'); for (const name of process.argv.slice(1)) { mkdirSync(name); process.chdir(name); }";
  execFileSync(process.execPath, ['-e', dig, deep, ...Array<string>(20).fill('x'.repeat(240))]);
  try {
    const found = await text(searchFiles, { query: 'beta' });
    expect(found).toContain('docs/b.txt:1: beta again');
    expect(found).toContain('not searched');
  } finally {
    execFileSync('rm', ['-rf', deep]);
  }
});

test('a written file keeps its mode, and no draft stays beside it', async () => {
  const script = join(workspace, 'run.sh');
  await writeFile(script, 'old', { mode: 0o755 });
  await chmod(script, 0o777);
  await writeFile(join(workspace, '.env'), 'old', { mode: 0o600 });
  await run(writeFileTool, { path: 'run.sh', text: 'new' });
  await run(writeFileTool, { path: '.env', text: 'new' });
  expect((await stat(script)).mode & 0o777).toBe(0o777);
  expect((await stat(join(workspace, '.env'))).mode & 0o777).toBe(0o600);
  expect((await readdir(workspace)).sort()).toEqual(['.env', 'a.txt', 'docs', 'run.sh']);
});

test('a read-only file is not written, whoever runs the node', async () => {
  const file = join(workspace, 'a.txt');
  await chmod(file, 0o444);
  await expect(run(writeFileTool, { path: 'a.txt', text: 'new' })).rejects.toThrow(/read-only|no permission/);
  expect(await readFile(file, 'utf8')).toBe('alpha\nBeta\n');
});

test('a write says that another name of the file keeps the old text', async () => {
  await link(join(workspace, 'a.txt'), join(workspace, 'second.txt'));
  expect((await run(writeFileTool, { path: 'a.txt', text: 'new' })).text).toContain(
    'another name of a.txt (hard link) will have the old text',
  );
  expect(await readFile(join(workspace, 'second.txt'), 'utf8')).toBe('alpha\nBeta\n');
  expect((await run(writeFileTool, { path: 'a.txt', text: 'newer' })).text).not.toContain('hard link');
});

test('a file whose name is as long as a name may be is written', async () => {
  const path = `${'n'.repeat(251)}.txt`;
  await run(writeFileTool, { path, text: 'long' });
  expect(await readFile(join(workspace, path), 'utf8')).toBe('long');
});

test('a symbolic link out of the workspace leads nowhere', async () => {
  await symlink(folder, join(workspace, 'out'));
  await symlink(join(folder, 'secret.txt'), join(workspace, 'link.txt'));
  await expect(text(readFileTool, { path: 'out/secret.txt' })).rejects.toThrow('outside');
  await expect(text(readFileTool, { path: 'link.txt' })).rejects.toThrow('outside');
  await expect(run(writeFileTool, { path: 'out/new.txt', text: 'x' })).rejects.toThrow('outside');
  expect(await text(searchFiles, { query: 'secret' })).toMatch(
    /nothing that was searched contains.*\n\(2 symbolic links were not followed/,
  );
});

test('a path in the notation of another system, or with the workspace’s name in front, is understood', async () => {
  expect(await text(readFileTool, { path: 'docs\\b.txt' })).toBe('beta again');
  expect(await text(readFileTool, { path: 'workspace/docs/b.txt' })).toBe('beta again');
  expect(await text(readFileTool, { path: 'workspace\\a.txt' })).toBe('alpha\nBeta\n');
  await expect(text(readFileTool, { path: 'workspace/../../secret.txt' })).rejects.toThrow('outside');
});

test('a name is found whatever the normal form of its accents, and a file is not written a second time in the other form', async () => {
  await made.write('cafe\u0301/re\u0301sume\u0301.txt', 'blue');
  expect(await text(readFileTool, { path: 'caf\u00e9/r\u00e9sum\u00e9.txt' })).toBe('blue');
  await run(writeFileTool, { path: 'caf\u00e9/r\u00e9sum\u00e9.txt', text: 'red' });
  await run(writeFileTool, { path: 'caf\u00e9/new.txt', text: 'red' });
  expect((await readdir(join(workspace, 'cafe\u0301'))).sort()).toEqual(['new.txt', 're\u0301sume\u0301.txt']);
  await expect(text(readFileTool, { path: '../caf\u00e9/secret.txt' })).rejects.toThrow('outside');
});

test('a name with a special blank is found by an ordinary one, unless two files would be meant', async () => {
  await made.write('shots/Screenshot 9.41\u202FAM.txt', 'blue');
  expect(await text(readFileTool, { path: 'shots/Screenshot 9.41 AM.txt' })).toBe('blue');
  await run(writeFileTool, { path: 'shots/Screenshot 9.41 AM.txt', text: 'red' });
  expect(await readdir(join(workspace, 'shots'))).toEqual(['Screenshot 9.41\u202FAM.txt']);
  await made.write('shots/Screenshot 9.41\u00A0AM.txt', 'green');
  await expect(text(readFileTool, { path: 'shots/Screenshot 9.41 AM.txt' })).rejects.toThrow('there is no file');
});

test('a file is written as a whole, its folders are made, and it is named as an artifact', async () => {
  const written = await run(writeFileTool, { path: 'new/deep/c.txt', text: 'hello' });
  expect(written).toMatchObject({ text: 'wrote 5 characters to new/deep/c.txt', artifacts: ['new/deep/c.txt'] });
  expect(await readFile(join(workspace, 'new/deep/c.txt'), 'utf8')).toBe('hello');
  expect(await text(listFiles, { path: 'new/deep' })).toBe('c.txt');
});

test('what a killed process left of a draft is not listed and not searched, and a later write removes it after an hour', async () => {
  const [old, young] = ['.cox-1a.draft', '.cox-2b.draft'].map((name) => join(workspace, name)) as [string, string];
  await writeFile(old, 'beta');
  await writeFile(young, 'beta');
  await utimes(old, 0, 0);
  expect(await text(listFiles, {})).toBe('a.txt\ndocs/');
  expect(await text(searchFiles, { query: 'beta', path: '.' })).not.toContain('draft');
  await run(writeFileTool, { path: 'c.txt', text: 'new' });
  expect((await readdir(workspace)).sort()).toEqual(['.cox-2b.draft', 'a.txt', 'c.txt', 'docs']);
  await expect(run(writeFileTool, { path: '.cox-3c.draft', text: 'x' })).rejects.toThrow('name of a draft');
});

test('errors tell a model how to correct its call', async () => {
  await expect(text(readFileTool, { path: 'nothing.txt' })).rejects.toThrow(
    'there is no file nothing.txt; the workspace has a.txt, docs/',
  );
  await expect(text(readFileTool, { path: 'docs' })).rejects.toThrow('docs is a folder; use list_files');
  await writeFile(join(workspace, 'image.png'), Buffer.from([1, 0, 2]));
  await expect(text(readFileTool, { path: 'image.png' })).rejects.toThrow('not a text file');
});

test('a search says which folders and links it has passed over, and searches such a folder when it is named', async () => {
  await mkdir(join(workspace, 'node_modules/lib'), { recursive: true });
  await writeFile(join(workspace, 'node_modules/lib/index.js'), 'needle');
  await symlink('../a.txt', join(workspace, 'docs/link.txt'));
  expect((await text(searchFiles, { query: 'needle' })).split('\n')).toEqual([
    'nothing that was searched contains "needle"',
    '(not searched: node_modules; name such a folder as path to search it)',
    '(1 symbolic link was not followed)',
  ]);
  expect(await text(searchFiles, { query: 'needle', path: 'node_modules' })).toBe('node_modules/lib/index.js:1: needle');
});

test('one file is searched when it is named', async () => {
  expect(await text(searchFiles, { query: 'beta', path: 'a.txt' })).toBe('a.txt:2: Beta');
  expect(await text(searchFiles, { query: 'gamma', path: 'a.txt' })).toBe('nothing contains "gamma"');
});

test('letters with accents are found in either form', async () => {
  await writeFile(join(workspace, 'a.txt'), 'café\n'.normalize('NFD'));
  expect(await text(searchFiles, { query: 'café' })).toBe('a.txt:1: café');
});

test.each([
  ['Capture d’écran.txt'.normalize('NFD'), "Capture d'écran.txt"],
  ['“quoted”.txt', '"quoted".txt'],
])('the file %s is found as %s', async (name, asked) => {
  await writeFile(join(workspace, name), 'here');
  expect(await text(readFileTool, { path: asked })).toBe('here');
  expect(await text(readFileTool, { path: join(workspace, asked) })).toBe('here');
});

test.runIf(process.getuid?.() === 0)('a file keeps its owner and its set-id bits', async () => {
  const file = join(workspace, 'a.txt');
  await chown(file, 12_345, 54_321);
  await chmod(file, 0o6755);
  await run(writeFileTool, { path: 'a.txt', text: 'new' });
  expect(await stat(file)).toMatchObject({ uid: 12_345, gid: 54_321, mode: 0o106755 });
});

test('UTF-32 is not read as UTF-16, and the end sign of DOS does not make a text binary', async () => {
  await writeFile(join(workspace, 'a.txt'), Buffer.from([0xff, 0xfe, 0, 0, 0x61, 0, 0, 0]));
  await expect(text(readFileTool, { path: 'a.txt' })).rejects.toThrow('not a text file');
  await writeFile(join(workspace, 'a.txt'), Buffer.from([0x61, 0xe4, 0x1a]));
  expect(await text(readFileTool, { path: 'a.txt' })).toContain('aä');
});

test('a write says what it has really kept of the form', async () => {
  await writeFile(join(workspace, 'a.txt'), '\uFEFFone\r\ntwo\n');
  expect((await run(writeFileTool, { path: 'a.txt', text: 'three\nfour\n' })).text).toContain(
    '(kept: UTF-8 with a byte order mark)',
  );
  await writeFile(join(workspace, 'a.txt'), 'one\r\ntwo\r\n');
  expect((await run(writeFileTool, { path: 'a.txt', text: 'three\nfour\n' })).text).toContain('(kept: CRLF line ends)');
});
