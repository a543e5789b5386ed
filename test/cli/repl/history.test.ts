import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { History } from '../../../cli/repl/history.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cox-history-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const problems: string[] = [];
const open = (at = folder) => new History(at, (problem) => problems.push(problem));

it('a history is there in the next session, newest first, readable by its owner alone', () => {
  const first = open(join(folder, 'deep', 'state'));
  for (const line of ['one', 'two', 'two', '', 'three']) first.add(line);
  const next = open(join(folder, 'deep', 'state'));
  expect(next.entries).toEqual(['three', 'two', 'one']);
  expect(statSync(join(folder, 'deep', 'state', 'history')).mode & 0o777).toBe(0o600);
});

it('a history file that others could read is closed to them', () => {
  writeFileSync(join(folder, 'history'), 'secret\n', { mode: 0o644 });
  chmodSync(join(folder, 'history'), 0o644);
  open();
  expect(statSync(join(folder, 'history')).mode & 0o777).toBe(0o600);
});

it('a history keeps the last 1,000 lines', () => {
  writeFileSync(join(folder, 'history'), Array.from({ length: 1500 }, (_, i) => `line ${i}\n`).join(''));
  expect(open().entries).toHaveLength(1000);
  expect(readFileSync(join(folder, 'history'), 'utf8').split('\n')[0]).toBe('line 500');
});

it('a session runs without a history when the folder cannot be used, and reports it once', () => {
  writeFileSync(join(folder, 'file'), '');
  const history = open(join(folder, 'file', 'state'));
  expect(history.entries).toEqual([]);
  history.add('x');
  expect(problems.splice(0)).toEqual([expect.stringContaining('history')]);
});
