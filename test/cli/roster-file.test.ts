import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { proposeEdit, writeEdit } from '../../cli/roster-file.ts';
import { readEdit } from '../../roster/edit-roster.ts';
import { shippedRoster } from '../../roster/find-roster.ts';

let folder: string;
let file: string;
const text = '# mine\nbackends:\n  a: { kind: embedded } # small\n';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cox-roster-'));
  file = join(folder, 'roster.yaml');
  await writeFile(file, text);
});
afterEach(() => rm(folder, { recursive: true }));

const propose = (edit = 'backends.a.concurrency=2', at = file) =>
  proposeEdit({ file: at, by: '--roster' }, [readEdit(edit)], '/config');

test('an edit is shown as a diff, then written with the old file beside it, both with its mode', async () => {
  await chmod(file, 0o640);
  const proposed = await propose();
  expect(proposed.diff).toMatchObject({ added: 1, removed: 1 });
  expect(proposed.diff.text).toContain('+  a: { kind: embedded, concurrency: 2 } # small');
  expect(await readFile(file, 'utf8')).toBe(text);
  const { backup } = await writeEdit(proposed);
  expect(await readFile(file, 'utf8')).toBe(proposed.text);
  expect(await readFile(backup, 'utf8')).toBe(text);
  expect([(await stat(file)).mode & 0o777, (await stat(backup)).mode & 0o777]).toEqual([0o640, 0o640]);
  expect((await readdir(folder)).toSorted()).toEqual(['roster.yaml', 'roster.yaml.bak']);
});

test('a file that has changed since the edit was shown is not written', async () => {
  const proposed = await propose();
  await writeFile(file, `${text}reducer: concat\n`);
  await expect(writeEdit(proposed)).rejects.toMatchObject({ code: 'roster-changed' });
  expect(await readFile(file, 'utf8')).toBe(`${text}reducer: concat\n`);
  expect(await readdir(folder)).toEqual(['roster.yaml']);
});

test('the shipped roster is not edited, and the refusal says how to make an own one', async () => {
  const edit = proposeEdit(shippedRoster, [readEdit('reducer=concat')], '/config');
  await expect(edit).rejects.toMatchObject({ code: 'roster-shipped', hint: expect.stringContaining('/config/roster.yaml') });
});

test('a link stays a link, and the file that it names is edited', async () => {
  const link = join(folder, 'link.yaml');
  await symlink('roster.yaml', link);
  await writeEdit(await propose('reducer=concat', link));
  expect((await readdir(folder)).toSorted()).toEqual(['link.yaml', 'roster.yaml', 'roster.yaml.bak']);
  expect(await readFile(link, 'utf8')).toBe(`${text}reducer: concat\n`);
});

test('a roster that is no UTF-8 is left alone', async () => {
  await writeFile(file, Buffer.from(`\ufeff${text}`, 'utf16le'));
  await expect(propose()).rejects.toMatchObject({ code: 'roster-unreadable' });
});
