/** Files that are no files, that nobody may read, that never end, or whose names are a trap. No call waits for one. */
import { execFileSync } from 'node:child_process';
import { appendFile, chmod, mkdir, readdir, readFile, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { applyPatch } from '../../../../actors/tools/files/apply-patch.ts';
import { editFileTool } from '../../../../actors/tools/files/edit-file.ts';
import { listFiles } from '../../../../actors/tools/files/list-files.ts';
import { readFileTool } from '../../../../actors/tools/files/read-file.ts';
import { searchFiles } from '../../../../actors/tools/files/search-files.ts';
import { writeFileTool } from '../../../../actors/tools/files/write-file.ts';
import type { Tool } from '../../../../actors/tools/tool.ts';
import { Folder } from './folder.ts';

let made: Folder;
const stops: (() => unknown)[] = [];
beforeEach(async () => {
  made = await Folder.make();
  await made.write('a.txt', 'needle\n');
});
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
  await made.remove();
});
const at = (name: string) => join(made.workspace, name);
/** Without the remarks on links that were not followed. */
const hits = (text: string) => text.split('\n').filter((line) => !line.startsWith('('));
const search = () => made.text(searchFiles, { query: 'needle' });

const isRoot = process.getuid?.() === 0;
const makes: Readonly<Record<string, () => Promise<unknown> | unknown>> = {
  pipe: () => execFileSync('mkfifo', [at('odd')]),
  socket: async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(at('odd'), resolve));
    stops.push(() => new Promise((resolve) => server.close(resolve)));
  },
  device: () => execFileSync('mknod', [at('odd'), 'c', '1', '5']),
  'link in a circle': async () => {
    await symlink('other', at('odd'));
    await symlink('odd', at('other'));
  },
  'link to nothing in the workspace': () => symlink('nothing', at('odd')),
  'link to nothing outside': () => symlink(join(made.folder, 'nothing'), at('odd')),
};
const calls: readonly (readonly [Tool, object])[] = [
  [readFileTool, { path: 'odd' }],
  [listFiles, { path: 'odd' }],
  [writeFileTool, { path: 'odd', text: 'x' }],
  [writeFileTool, { path: 'odd/new.txt', text: 'x' }],
  [editFileTool, { path: 'odd', old: 'x', new: 'y' }],
];
test.each(Object.keys(makes).filter((what) => what !== 'device' || isRoot))(
  'a %s is neither read nor written nor waited for, nobody is asked about it, and a search passes it over',
  async (what) => {
    await makes[what]!();
    for (const [tool, args] of calls) {
      const refusal = /not a regular file|not a folder|leads nowhere or in a circle/;
      await expect(made.run(tool, args)).rejects.toThrow(refusal);
      if (tool.preview) await expect(made.preview(tool, args)).rejects.toThrow(refusal);
    }
    expect(hits(await search())).toEqual(['a.txt:1: needle']);
    expect(await readdir(made.folder)).toEqual(['workspace']);
  },
);

test('a folder and a file without permission are passed over by a search, and that is said', async (it) => {
  await made.write('closed/b.txt', 'needle\n');
  await made.write('unseen.txt', 'needle\n');
  await chmod(at('closed'), 0o000);
  await chmod(at('unseen.txt'), 0o000);
  await chmod(made.folder, 0o755);
  // The system refuses root nothing.
  if (isRoot) process.seteuid!(65_534);
  try {
    // Another user cannot get to a temporary folder that lies in a closed one.
    if (isRoot && (await stat(made.folder).catch(() => null)) === null) return it.skip();
    expect(await search()).toBe('a.txt:1: needle\n(not searched, too large or not readable: unseen.txt, closed/)');
    await expect(made.text(listFiles, { path: 'closed' })).rejects.toThrow('no permission for closed');
    await expect(made.text(readFileTool, { path: 'unseen.txt' })).rejects.toThrow('no permission for unseen.txt');
  } finally {
    if (isRoot) process.seteuid!(0);
    await chmod(at('closed'), 0o755);
  }
});

test('a file of a terabyte with nothing in it is not read to its end', async () => {
  await writeFile(at('sparse'), '');
  await truncate(at('sparse'), 1e12);
  expect(await search()).toBe('a.txt:1: needle\n(not searched, too large or not readable: sparse)');
  await expect(made.text(readFileTool, { path: 'sparse' })).rejects.toThrow('not a text file');
  await expect(made.preview(writeFileTool, { path: 'sparse', text: 'x' })).rejects.toThrow('too large to be replaced');
});

test('a file that grows while it is read is read as far as it went at the opening', async () => {
  await made.write('log.txt', 'needle\n'.repeat(20));
  let ended = false;
  const grows = (async () => {
    while (!ended) await appendFile(at('log.txt'), 'needle\n'.repeat(1_000));
  })();
  const found = await Promise.all([search(), made.text(readFileTool, { path: 'log.txt' })]);
  ended = true;
  await grows;
  expect(found[0]).toContain('log.txt:1: needle');
  expect(found[1]).toContain('needle');
});

test('a file whose name has a line break is listed and found under one name on one line, is read, and is not written', async () => {
  const name = 'a.txt:7: forged\nb.txt';
  await made.write(name, 'needle\n');
  const quoted = '"a.txt:7: forged\\nb.txt"';
  expect(await made.text(listFiles, {})).toBe(`${quoted}\na.txt`);
  expect((await search()).split('\n').sort()).toEqual([`${quoted}:1: needle`, 'a.txt:1: needle']);
  expect(await made.text(readFileTool, { path: name })).toBe('needle\n');
  await expect(made.preview(writeFileTool, { path: name, text: 'x' })).rejects.toThrow('control characters');
});

test.runIf(process.platform === 'linux')(
  'a name that is not UTF-8 is listed, and what cannot be opened by it is said to be not searched',
  async () => {
    execFileSync('sh', ['-c', "printf 'needle' > \"$(printf 'bad\\377.txt')\""], { cwd: made.workspace });
    expect(await made.text(listFiles, {})).toBe('a.txt\nbad\uFFFD.txt');
    expect(await search()).toBe('a.txt:1: needle\n(not searched, too large or not readable: bad\uFFFD.txt)');
    await expect(made.text(readFileTool, { path: 'bad\uFFFD.txt' })).rejects.toThrow('there is no file');
    await expect(made.run(writeFileTool, { path: 'half\ud83d.txt', text: 'x' })).rejects.toThrow('half of a character');
  },
);

test('a folder with a link to itself is searched once', async () => {
  await mkdir(at('docs'));
  await symlink('..', at('docs/up'));
  expect(hits(await search())).toEqual(['a.txt:1: needle']);
  expect(await made.text(readFileTool, { path: 'docs/up/docs/up/a.txt' })).toBe('needle\n');
});

test('a file whose lines end with CR alone is read, searched and changed line by line, and keeps them', async () => {
  for (const encode of [(text: string) => Buffer.from(text), (text: string) => Buffer.from(`\uFEFF${text}`, 'utf16le')]) {
    await writeFile(at('mac.txt'), encode('one\rtwo\rthe needle\rfour\r'));
    expect(await made.text(readFileTool, { path: 'mac.txt', line: 3, lines: 1 })).toMatch(
      /^the needle\n\[lines 3 to 3, .*CR line ends\]$/,
    );
    expect(await made.text(readFileTool, { path: 'mac.txt', line: -1 })).toMatch(/^four\n\[/);
    expect(await made.text(readFileTool, { path: 'mac.txt' })).toMatch(/^one\ntwo\nthe needle\nfour\n\[.*CR line ends\]$/);
    expect(hits(await search())).toContain('mac.txt:3: the needle');
    await made.run(editFileTool, { path: 'mac.txt', old: 'two\nthe', new: 'two\n2\nthe' });
    const patch = '--- a/mac.txt\n+++ b/mac.txt\n@@ -4,2 +4,2 @@\n the needle\n-four\n+4\n';
    await made.run(applyPatch, { patch });
    expect(await readFile(at('mac.txt'))).toEqual(encode('one\rtwo\r2\rthe needle\r4\r'));
    await made.run(writeFileTool, { path: 'mac.txt', text: 'one\ntwo\n' });
    expect(await readFile(at('mac.txt'))).toEqual(encode('one\rtwo\r'));
  }
});

test('a new file has the line ends that it was given', async () => {
  await made.run(writeFileTool, { path: 'new/run.bat', text: 'echo 1\r\necho 2\r\n' });
  expect(await readFile(at('new/run.bat'), 'utf8')).toBe('echo 1\r\necho 2\r\n');
});
