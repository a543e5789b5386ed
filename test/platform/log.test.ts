import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { CoxError } from '../../platform/errors.ts';
import { logFileIn } from '../../platform/folders.ts';
import { type Log, openLog } from '../../platform/log.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cox-log-'));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

const logged = (): string => readFileSync(logFileIn(folder), 'utf8');

it('the log hides secrets by field name at any depth, and by their form in any text', () => {
  const log = openLog({ folder, verbose: false, name: 'test' });
  log.info({
    apiKey: 'plain-one',
    a: { b: { c: { d: { password: 'plain-two' } } } },
    credentials: { user: 'x', seed: 'plain-three' },
  });
  log.info('calling with Authorization: Bearer plain-four-is-long and sk-proj-plainfiveislongtoo');
  log.error({ err: new Error('connect nats://ann:plain-six@host:4222 failed') }, 'x');
  log.info({ note: 'SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY' });
  expect(logged()).not.toMatch(/plain|SUACSSL/);
  expect(logged()).toContain('nats://[Redacted]@host:4222');
});

it('the log writes lines that stay JSON after redaction, with the code of an error', () => {
  const log = openLog({ folder, verbose: false, name: 'test' });
  log.warn({ err: new CoxError('no-space', 'full', { hint: 'free some' }), token: 'a"b\\' }, 'with a "quote"');
  const line = JSON.parse(logged());
  expect(line).toMatchObject({ level: 40, name: 'test', msg: 'with a "quote"', token: '[Redacted]', err: { code: 'no-space' } });
});

it('a log above 10 MB is renamed when it is opened', () => {
  openLog({ folder, verbose: false, name: 'test' }).info('old');
  truncateSync(logFileIn(folder), 10_000_001);
  openLog({ folder, verbose: false, name: 'test' }).info('new');
  expect(JSON.parse(logged()).msg).toBe('new');
  expect(statSync(`${logFileIn(folder)}.1`).size).toBe(10_000_001);
});

it('a log is renamed while it is written, also by a second process, and none of its last lines is lost', () => {
  const [one, other] = [1, 2].map(() => openLog({ folder, verbose: false, name: 'test' })) as [Log, Log];
  const filler = 'x'.repeat(10_000);
  for (let n = 0; n < 1_100; n++) one.info({ n, filler }, 'one');
  for (let n = 0; n < 20; n++) other.info({ n, filler }, 'other');
  expect(statSync(logFileIn(folder)).size).toBeLessThan(2_000_000);
  expect(statSync(`${logFileIn(folder)}.1`).size).toBeLessThan(10_500_000);
  const kept = [readFileSync(`${logFileIn(folder)}.1`, 'utf8'), logged()].join('').trim().split('\n');
  expect(kept).toHaveLength(1_120);
  expect(JSON.parse(logged().trim().split('\n').at(-1)!)).toMatchObject({ msg: 'other', n: 19 });
});

it('a complaint of one kind is written 20 times in a minute, and other lines are written beside it', () => {
  const log = openLog({ folder, verbose: false, name: 'test' });
  const child = log.child({ part: 'bus' });
  for (let n = 0; n < 500; n++) {
    child.warn({ n }, 'refused a request');
    log.info({ n }, 'at work');
  }
  log.error({ err: new Error('x') }, 'something else');
  const lines = logged()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.filter(({ msg }) => msg === 'refused a request')).toHaveLength(20);
  expect(lines.filter(({ msg }) => msg === 'at work')).toHaveLength(500);
  expect(lines.filter(({ kind }) => kind === 'refused a request')).toHaveLength(1);
  expect(lines.at(-1)).toMatchObject({ msg: 'something else' });
});

it('a log that cannot be written is reported once, and the program goes on', () => {
  const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  writeFileSync(join(folder, 'state'), 'a file where the folder should be');
  const log = openLog({ folder: join(folder, 'state'), verbose: false, name: 'test' });
  log.info('one');
  log.info('two');
  expect(said).toHaveBeenCalledOnce();
  expect(said.mock.calls[0]?.[0]).toContain('continuing without it');
});

it('a verbose log shows everything readably on stderr', () => {
  const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  openLog({ folder, verbose: true, name: 'repl' }).debug({ task: 'k3xq.4', token: 'hidden' }, 'claimed');
  expect(said.mock.calls[0]?.[0]).toMatch(
    /^\d\d:\d\d:\d\d\.\d{3} debug repl: claimed \{"task":"k3xq.4","token":"\[Redacted\]"\}\n$/,
  );
});

it('a line with a very long text of somebody else is cut, and stays JSON', () => {
  const log = openLog({ folder, verbose: false, name: 'test' });
  log.warn({ what: 'x'.repeat(1_000_000) }, 'quoted');
  log.info('after it');
  const [long, after] = logged().trim().split('\n');
  expect(long!.length).toBeLessThan(2_000);
  expect(JSON.parse(long!)).toMatchObject({ level: 40, begins: expect.stringContaining('xxx') });
  expect(JSON.parse(after!)).toMatchObject({ msg: 'after it' });
});
