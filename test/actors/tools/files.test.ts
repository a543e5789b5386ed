import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { listFiles, readFileTool, searchFiles, writeFileTool } from '../../../actors/tools/files.ts';
import type { Tool, ToolOutput } from '../../../actors/tools/tool.ts';
import { maxOutputChars } from '../../../actors/tools/tool.ts';

let folder: string;
let workspace: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cox-files-'));
  workspace = join(folder, 'workspace');
  await mkdir(join(workspace, 'docs'), { recursive: true });
  await writeFile(join(workspace, 'a.txt'), 'alpha\nBeta\n');
  await writeFile(join(workspace, 'docs', 'b.txt'), 'beta again');
  await writeFile(join(folder, 'secret.txt'), 'secret beta');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const run = (tool: Tool, args: unknown): Promise<ToolOutput> =>
  tool.run(tool.args.parse(args), {
    task: 'k3xq.1',
    workspace,
    signal: new AbortController().signal,
    idempotencyKey: 'k3xq.1:s1-0',
    keep: async (content) => ({ name: 'k3xq.1/s1-0/0', content }),
  });
const text = async (tool: Tool, args: unknown) => (await run(tool, args)).text;

test('the tools list, read and search files in all folders', async () => {
  expect(await text(listFiles, {})).toBe('a.txt\ndocs/');
  expect(await text(readFileTool, { path: 'docs/b.txt' })).toBe('beta again');
  expect((await text(searchFiles, { query: 'BETA' })).split('\n').sort()).toEqual(['a.txt:2: Beta', 'docs/b.txt:1: beta again']);
});

test('a long file is read in parts', async () => {
  await writeFile(join(workspace, 'long.txt'), `${'x'.repeat(maxOutputChars)}the end`);
  expect(await text(readFileTool, { path: 'long.txt' })).toContain(`go on with offset ${maxOutputChars}`);
  expect(await text(readFileTool, { path: 'long.txt', offset: maxOutputChars })).toBe('the end');
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
  await writeFile(join(workspace, 'big.log'), `${'a line\n'.repeat(400_000)}needle\n`);
  await writeFile(join(workspace, 'picture.png'), Buffer.from([0, 1, 2]));
  const found = await text(searchFiles, { query: 'needle' });
  expect(found).toContain('nothing that was searched');
  expect(found).toMatch(/not searched.*big\.log/);
  expect(found).toContain('1 file that');
  await writeFile(join(workspace, 'many.txt'), 'hit\n'.repeat(500));
  expect(await text(searchFiles, { query: 'hit' })).toContain('there may be more');
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
  await writeFile(join(workspace, '.env'), 'old', { mode: 0o600 });
  await run(writeFileTool, { path: 'run.sh', text: 'new' });
  await run(writeFileTool, { path: '.env', text: 'new' });
  expect((await stat(script)).mode & 0o777).toBe(0o755);
  expect((await stat(join(workspace, '.env'))).mode & 0o777).toBe(0o600);
  expect((await readdir(workspace)).sort()).toEqual(['.env', 'a.txt', 'docs', 'run.sh']);
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
  expect(await text(searchFiles, { query: 'secret' })).toContain('nothing contains');
});

test('a path in the notation of another system, or with the workspace’s name in front, is understood', async () => {
  expect(await text(readFileTool, { path: 'docs\\b.txt' })).toBe('beta again');
  expect(await text(readFileTool, { path: 'workspace/docs/b.txt' })).toBe('beta again');
  expect(await text(readFileTool, { path: 'workspace\\a.txt' })).toBe('alpha\nBeta\n');
  await expect(text(readFileTool, { path: 'workspace/../../secret.txt' })).rejects.toThrow('outside');
});

test('a file is written as a whole, its folders are made, and it is named as an artifact', async () => {
  expect(await run(writeFileTool, { path: 'new/deep/c.txt', text: 'hello' })).toMatchObject({
    text: 'wrote 5 characters to new/deep/c.txt',
    artifacts: ['new/deep/c.txt'],
    changes: [{ target: 'new/deep/c.txt', kind: 'created', before: null }],
  });
  expect(await readFile(join(workspace, 'new/deep/c.txt'), 'utf8')).toBe('hello');
  expect(await text(listFiles, { path: 'new/deep' })).toBe('c.txt');
});

test('errors tell a model how to correct its call', async () => {
  await expect(text(readFileTool, { path: 'nothing.txt' })).rejects.toThrow(
    'there is no file nothing.txt; the workspace has a.txt, docs/',
  );
  await expect(text(readFileTool, { path: 'docs' })).rejects.toThrow('docs is a folder; use list_files');
  await writeFile(join(workspace, 'image.png'), Buffer.from([1, 0, 2]));
  await expect(text(readFileTool, { path: 'image.png' })).rejects.toThrow('not a text file');
});
