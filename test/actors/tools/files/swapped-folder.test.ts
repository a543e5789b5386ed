/**
 * A folder of the workspace becomes a link to a folder outside, and a folder again, while a tool works in it. The one outside has
 * files of the same names and with the text that each call expects, so that only the place tells them apart.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { applyPatch } from '../../../../actors/tools/files/apply-patch.ts';
import { editFileTool } from '../../../../actors/tools/files/edit-file.ts';
import { sha256 } from '../../../../actors/tools/files/file-state.ts';
import { listFiles } from '../../../../actors/tools/files/list-files.ts';
import { readFileTool } from '../../../../actors/tools/files/read-file.ts';
import { searchFiles } from '../../../../actors/tools/files/search-files.ts';
import { writeFileTool } from '../../../../actors/tools/files/write-file.ts';
import { restoreFile } from '../../../../actors/tools/restore-file.ts';
import type { Artifacts } from '../../../../bus/artifacts/artifacts.ts';
import { Folder } from './folder.ts';

const node = join(import.meta.dirname, '../../../../node_modules/.bin/node');
const text = 'one\n';
let made: Folder;
let outside: string;
let swapper: ChildProcess;
let ended: Promise<unknown>;
beforeEach(async () => {
  made = await Folder.make();
  outside = join(made.folder, 'outside');
  await mkdir(join(outside, 'sub'), { recursive: true });
  for (const folder of ['', 'sub/']) {
    await made.write(`docs/${folder}a.txt`, text);
    await made.write(`docs/${folder}b.txt`, text);
    await writeFile(join(outside, folder, 'a.txt'), text);
    await writeFile(join(outside, folder, 'b.txt'), 'secret one\n');
    await writeFile(join(outside, folder, 'secret.txt'), text);
  }
  await symlink(outside, join(made.workspace, 'link'));
  const script = join(import.meta.dirname, 'folder-swapper.ts');
  swapper = spawn(node, [script, join(made.workspace, 'docs'), join(made.workspace, 'link')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  ended = once(swapper, 'exit');
  await once(swapper.stdout!, 'data');
});
afterEach(async () => {
  await stopped();
  await made.remove();
});

async function stopped(): Promise<void> {
  swapper.kill('SIGKILL');
  await ended;
}
async function filesOutside(): Promise<Record<string, string>> {
  const entries = await readdir(outside, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(await Promise.all(files.map(async (file) => [file, await readFile(file, 'utf8')] as const)));
}

const undone = (path: string, before: string, after: string) => {
  const artifacts = { read: async () => ({ bytes: Buffer.from(before) }) } as unknown as Artifacts;
  const changes = [{ task: 'k3xq.1', step: 1, before: 'k3xq.1/s1-0/0', after: sha256(Buffer.from(after)) }];
  return made.run(restoreFile(artifacts, { of: 'k3xq.1', files: [{ path, changes }] }), { path });
};
const removal = (path: string) => ({ patch: `--- a/${path}\n+++ /dev/null\n@@ -1 +0,0 @@\n-one\n` });
const eitherWay = (n: number): [string, string] => (n % 2 === 0 ? ['one\n', 'two\n'] : ['two\n', 'one\n']);

type Call = (folder: string, n: number) => Promise<{ readonly text: string }>;
test.runIf(existsSync('/proc/self/fd')).each<[string, number, Call]>([
  ['read', 800, (folder) => made.run(readFileTool, { path: `${folder}/b.txt` })],
  ['listed', 400, (folder) => made.run(listFiles, { path: folder })],
  ['searched', 100, () => made.run(searchFiles, { query: 'one' })],
  ['written', 150, (folder, n) => made.run(writeFileTool, { path: `${folder}/a.txt`, text: `text ${n}` })],
  ['written in new folders', 150, (folder, n) => made.run(writeFileTool, { path: `${folder}/${n}/new.txt`, text: 'new' })],
  [
    'edited',
    150,
    (folder, n) => {
      const [old, young] = eitherWay(n);
      return made.run(editFileTool, { path: `${folder}/a.txt`, old, new: young });
    },
  ],
  [
    'created and deleted',
    150,
    (folder, n) =>
      n % 2 === 0
        ? made.run(applyPatch, removal(`${folder}/a.txt`))
        : made.run(writeFileTool, { path: `${folder}/a.txt`, text: 'one\n' }),
  ],
  ['undone', 150, (folder, n) => undone(`${folder}/a.txt`, ...eitherWay(n))],
])('no file outside is %s, whenever a folder is swapped for a link', async (_, calls, call) => {
  const before = await filesOutside();
  const told: string[] = [];
  for (let n = 0; n < calls; n++) {
    const folder = n % 4 < 2 ? 'docs' : 'docs/sub';
    told.push(await call(folder, n).then(({ text }) => text, String));
  }
  await stopped();
  expect(told.filter((words) => words.includes('secret'))).toEqual([]);
  expect(await filesOutside()).toEqual(before);
});
