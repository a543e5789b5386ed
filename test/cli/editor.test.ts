/** The folder of a text in the editor goes, also when its `cox` was killed. */
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, open, readdir, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { editedText } from '../../cli/editor.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cox-editor-'));
  vi.stubEnv('TMPDIR', folder);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

async function left(name: string, hoursAgo: number): Promise<string> {
  await mkdir(join(folder, name));
  const at = new Date(Date.now() - hoursAgo * 3_600_000);
  await utimes(join(folder, name), at, at);
  return name;
}

test('a text that a killed process has left is removed by a later edit, and no other', async () => {
  const dead = spawnSync('true').pid;
  await left(`cox-edit-${dead}-old`, 2);
  const stay = [
    await left(`cox-edit-${dead}-new`, 0),
    await left(`cox-edit-${process.pid}-open`, 2),
    await left('somebody-elses', 2),
  ];
  const terminal = (await open('/dev/null', 'w')).createWriteStream() as unknown as NodeJS.WriteStream;
  const room = { env: { EDITOR: 'true' }, onSignal: () => () => {}, terminal, lend: <T>(run: () => Promise<T>) => run() };
  expect(await editedText('hello', '.txt', room)).toBe('hello');
  expect((await readdir(folder)).sort()).toEqual(stay.sort());
  terminal.end();
});
