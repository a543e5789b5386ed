import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readSmall, readSmallSync } from '../../platform/small-file.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cox-small-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const readers = [
  ['async', readSmall],
  ['sync', async (path: string, most: number) => readSmallSync(path, most)],
] as const;

test.each(readers)('%s: a file up to the limit is read whole, and one byte more is refused', async (_, read) => {
  const file = join(folder, 'some');
  writeFileSync(file, 'é'.repeat(50_000));
  expect((await read(file, 100_000)).toString()).toBe('é'.repeat(50_000));
  await expect(read(file, 99_999)).rejects.toThrow('larger than 99999 bytes');
  writeFileSync(file, '');
  expect(await read(file, 0)).toHaveLength(0);
});

test.each(readers)('%s: of a huge file and of a device that never ends no more than the limit is read', async (_, read) => {
  const huge = join(folder, 'huge');
  writeFileSync(huge, '');
  truncateSync(huge, 3 * 2 ** 30);
  await expect(read(huge, 1_000)).rejects.toThrow(RangeError);
  await expect(read('/dev/zero', 1_000)).rejects.toThrow(RangeError);
});

test.each(readers)('%s: a folder, and a file that is not there, are errors of the system', async (_, read) => {
  await expect(read(folder, 10)).rejects.toMatchObject({ code: 'EISDIR' });
  await expect(read(join(folder, 'none'), 10)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('sync: a pipe is read up to its end, and one into which nobody writes is an error', async () => {
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  expect(() => readSmallSync(pipe, 100, 40)).toThrow('nobody writes into it');
  const writer = spawn('sh', ['-c', `exec > "$0"; printf one; printf two`, pipe]);
  const ended = new Promise((resolve) => writer.on('close', resolve));
  expect(readSmallSync(pipe, 100).toString()).toBe('onetwo');
  await ended;
});
