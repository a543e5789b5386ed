import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { withLock } from '../../platform/lock.ts';

const holder = join(import.meta.dirname, 'lock-holder.ts');
const node = join(import.meta.dirname, '../../node_modules/.bin/node');
let folder: string;
let lock: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cox-lock-'));
  lock = join(folder, 'lock');
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

function run(...args: string[]): ChildProcess {
  const child = spawn(node, [holder, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  return child;
}

async function holdingProcess(): Promise<ChildProcess> {
  const child = run('hold', lock);
  await once(child.stdout!, 'data');
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

it('a lock lets one process in at a time', async () => {
  const file = join(folder, 'number');
  writeFileSync(file, '0');
  await Promise.all([1, 2, 3, 4].map(() => once(run('count', lock, file, '50'), 'exit')));
  expect(readFileSync(file, 'utf8')).toBe('200');
});

it('a lock lets one call of the same process in at a time', async () => {
  let inside = 0;
  let most = 0;
  const enter = () =>
    withLock(lock, async () => {
      most = Math.max(most, ++inside);
      await new Promise(setImmediate);
      inside -= 1;
    });
  await Promise.all([enter(), enter(), enter()]);
  expect(most).toBe(1);
});

it('a lock whose holder was killed is free again, for one process at a time', async () => {
  await kill(await holdingProcess());
  const file = join(folder, 'number');
  writeFileSync(file, '0');
  await Promise.all([1, 2, 3, 4].map(() => once(run('count', lock, file, '25'), 'exit')));
  expect(readFileSync(file, 'utf8')).toBe('100');
});

it('a lock is free when the pid of its dead holder belongs to another process', async () => {
  writeFileSync(`${lock}.7`, JSON.stringify({ pid: process.pid, start: 'another time' }));
  expect(await withLock(lock, async () => 'in')).toBe('in');
});

it('a lock is free when its file is damaged', async () => {
  writeFileSync(`${lock}.3`, '{"pid":');
  expect(await withLock(lock, async () => 'in')).toBe('in');
});

it('a caller waits while the holder lives, reports it once, and stops waiting when aborted', async () => {
  await holdingProcess();
  const controller = new AbortController();
  let waits = 0;
  const onWait = () => {
    waits += 1;
    setImmediate(() => controller.abort(new Error('enough')));
  };
  let entered = false;
  const waiting = withLock(
    lock,
    async () => {
      entered = true;
    },
    { signal: controller.signal, onWait },
  );
  await expect(waiting).rejects.toThrow('enough');
  expect([entered, waits]).toEqual([false, 1]);
});

it('a lock is released when the work throws, and keeps one file only', async () => {
  for (let n = 0; n < 3; n += 1)
    await expect(withLock(lock, () => Promise.reject(new Error('work failed')))).rejects.toThrow('work failed');
  expect(await withLock(lock, async () => 'in')).toBe('in');
  expect(readdirSync(folder)).toEqual(['lock.4']);
});

it('a lock goes by its highest generation, whatever a killed process left below it', async () => {
  writeFileSync(`${lock}.2`, JSON.stringify({ pid: process.pid, start: 'another time' }));
  writeFileSync(`${lock}.10`, JSON.stringify({ pid: process.pid, start: null }));
  const controller = new AbortController();
  const onWait = () => setImmediate(() => controller.abort(new Error('held by 10')));
  await expect(withLock(lock, async () => 'in', { signal: controller.signal, onWait })).rejects.toThrow('held by 10');
});

it('an error says what to do when the folder cannot be written', async () => {
  writeFileSync(join(folder, 'file'), '');
  await expect(withLock(join(folder, 'file', 'lock'), async () => 'in')).rejects.toMatchObject({
    code: 'storage-failed',
    hint: expect.stringContaining('folder'),
  });
});
