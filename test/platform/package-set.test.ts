import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Progress } from '../../platform/asset.ts';
import type { DownloadOptions } from '../../platform/download.ts';
import { openLog } from '../../platform/log.ts';
import { cachedPackages, importFrom, obtainPackages, type PackageSet, shippedSet } from '../../platform/package-set.ts';
import { openPackageRegistry, type PackageRegistry } from './package-registry.ts';

const installer = join(import.meta.dirname, 'set-installer.ts');
let folder: string;
let registry: PackageRegistry;
let progress: Progress[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cox-set-'));
  registry = await openPackageRegistry(join(folder));
  await registry.publish('cox-set-one', { 'index.js': 'exports.word = "one";', 'filling.txt': 'x'.repeat(3_000_000) });
  await registry.publish('cox-set-two', { 'index.js': 'exports.word = "two";' });
  progress = [];
});
afterEach(async () => {
  await registry.stop();
  rmSync(folder, { recursive: true, force: true });
});

const cache = (): string => join(folder, 'cache');
const installed = (): string[] => (existsSync(join(cache(), 'packages')) ? readdirSync(join(cache(), 'packages')) : []);
const set = (changes: Partial<PackageSet> = {}): PackageSet => ({
  name: 'a set',
  folder: registry.lock(join(folder, 'pinned'), ['cox-set-one', 'cox-set-two']),
  bytes: 3_000_000,
  ...changes,
});
const environment = (changes: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  ...process.env,
  npm_config_registry: registry.url,
  npm_config_cache: join(folder, 'npm-cache'),
  ...changes,
});
const options = (changes: Partial<DownloadOptions> = {}): DownloadOptions => ({
  folder: cache(),
  log: openLog({ folder, verbose: false, name: 'test' }),
  onProgress: (step) => progress.push(step),
  env: environment(),
  ...changes,
});
/** Puts a program in the place of npm. */
const npmThat = (script: string): NodeJS.ProcessEnv => {
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'npm'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return environment({ PATH: `${bin}:${process.env.PATH}` });
};

describe('a set of packages', () => {
  it('is installed by the real npm, runs no script of a package, and can be imported', async () => {
    const path = await obtainPackages(set(), options());
    expect(await importFrom(path, 'cox-set-one')).toMatchObject({ default: { word: 'one' } });
    expect(await importFrom(path, 'cox-set-two')).toMatchObject({ default: { word: 'two' } });
    expect(existsSync(join(path, 'node_modules/cox-set-one/ran-a-script'))).toBe(false);
    expect(installed()).toHaveLength(1);
    expect(progress[0]).toMatchObject({ doneBytes: 0, totalBytes: 3_000_000, asset: { name: 'a set' } });
    expect(progress.at(-1)?.doneBytes).toBe(3_000_000);
  });

  it('is not fetched again when it is in the cache', async () => {
    const path = await obtainPackages(set(), options());
    registry.tarballs.length = 0;
    expect(await obtainPackages(set(), options({ env: { PATH: '' } }))).toBe(path);
    expect(registry.tarballs).toEqual([]);
  });

  it('lies beside a set with another lock', async () => {
    const first = set();
    await obtainPackages(first, options());
    const other = { ...first, folder: registry.lock(join(folder, 'pinned'), ['cox-set-two']) };
    expect(cachedPackages(other, cache())).toBeNull();
    await obtainPackages(other, options());
    expect(installed()).toHaveLength(2);
  });

  it('is complete only when its last preparation has ended', async () => {
    const finish = async () => {
      throw new Error('it does not unpack');
    };
    await expect(obtainPackages(set({ finish }), options())).rejects.toMatchObject({
      code: 'storage-failed',
      message: expect.stringContaining('it does not unpack'),
    });
    expect(installed()).toEqual([]);
  });

  it('is rejected when the registry delivers other content than the pinned one', async () => {
    registry.tamper('cox-set-one');
    await expect(obtainPackages(set(), options())).rejects.toMatchObject({
      code: 'download-failed',
      message: expect.stringContaining('EINTEGRITY'),
      hint: expect.stringContaining('other content'),
    });
    expect(installed()).toEqual([]);
  });

  it('says which registry cannot be reached', async () => {
    const wanted = set();
    await registry.stop();
    await expect(obtainPackages(wanted, options())).rejects.toMatchObject({
      code: 'download-failed',
      message: expect.stringContaining('ECONNREFUSED'),
      hint: expect.stringContaining('registry'),
    });
    registry = await openPackageRegistry(folder);
  });

  it('says that a package is not in the registry', async () => {
    const wanted = set();
    await registry.stop();
    registry = await openPackageRegistry(folder);
    await expect(obtainPackages(wanted, options())).rejects.toMatchObject({
      code: 'download-failed',
      message: expect.stringContaining('404'),
    });
  });

  it('can be stopped while npm runs, leaves nothing, and is complete the next time', async () => {
    const controller = new AbortController();
    registry.hold = async () => controller.abort(new Error('Ctrl-C'));
    await expect(obtainPackages(set(), options({ signal: controller.signal }))).rejects.toThrow('Ctrl-C');
    expect(installed()).toEqual([]);
    registry.hold = async () => {};
    expect(existsSync(join(await obtainPackages(set(), options()), 'node_modules/cox-set-one/filling.txt'))).toBe(true);
  });

  it('is installed after a process that was killed in the middle', async () => {
    const wanted = set();
    let asked = () => {};
    const isAsked = new Promise<void>((resolve) => {
      asked = resolve;
    });
    registry.hold = () => {
      asked();
      return new Promise(() => {});
    };
    const child = spawn(process.execPath, [installer, wanted.folder, cache(), '3000000'], { env: environment(), detached: true });
    await isAsked;
    process.kill(-child.pid!, 'SIGKILL');
    await once(child, 'close');
    expect(installed().filter((name) => name.endsWith('.part'))).toHaveLength(1);
    registry.hold = async () => {};
    await obtainPackages(wanted, options());
    expect(installed()).toHaveLength(1);
  });

  it('is installed once when two processes want it at the same time', async () => {
    const wanted = set();
    const install = () =>
      promisify(execFile)(process.execPath, [installer, wanted.folder, cache(), '3000000'], { env: environment() });
    const [one, two] = await Promise.all([install(), install()]);
    expect(JSON.parse(one.stdout)).toEqual({ installed: join(cache(), 'packages', installed()[0]!) });
    expect(two.stdout).toBe(one.stdout);
    expect(registry.tarballs).toHaveLength(2);
  });
});

describe('a set that cannot be stored', () => {
  it('says before the fetch how much room is needed and where', async () => {
    await expect(obtainPackages(set({ bytes: 2 ** 52 }), options())).rejects.toMatchObject({
      code: 'no-space',
      message: expect.stringContaining('a set needs'),
    });
    expect(registry.tarballs).toEqual([]);
  });

  const canMount = spawnSync('unshare', ['-rm', 'true']).status === 0;
  it.runIf(canMount)('says that the disk has filled up on the way, and leaves nothing on it', async () => {
    const wanted = set();
    mkdirSync(cache());
    const inSmallDisk = [
      `mount -t tmpfs -o size=1m none '${cache()}'`,
      `'${process.execPath}' '${installer}' '${wanted.folder}' '${cache()}' 1000`,
      `ls '${cache()}/packages'`,
    ].join(' && ');
    const { stdout } = await promisify(execFile)('unshare', ['-rm', 'sh', '-c', inSmallDisk], { env: environment() });
    const [outcome, ...left] = stdout.trim().split('\n');
    expect(JSON.parse(outcome!)).toMatchObject({ code: 'no-space', isOurs: true });
    expect(left).toEqual([]);
  });

  it('reports a disk that npm finds full', async () => {
    const env = npmThat('echo "npm error code ENOSPC" >&2; echo "npm error nospc no space left" >&2; exit 228');
    await expect(obtainPackages(set(), options({ env }))).rejects.toMatchObject({ code: 'no-space' });
    expect(installed()).toEqual([]);
  });

  it.runIf(canMount)('says that the disk is read-only', async () => {
    const wanted = set();
    mkdirSync(cache());
    const inReadOnlyDisk = [
      `mount -t tmpfs -o ro none '${cache()}'`,
      `'${process.execPath}' '${installer}' '${wanted.folder}' '${cache()}' 1000`,
    ].join(' && ');
    const { stdout } = await promisify(execFile)('unshare', ['-rm', 'sh', '-c', inReadOnlyDisk], { env: environment() });
    expect(JSON.parse(stdout)).toMatchObject({ code: 'read-only', isOurs: true });
  });

  it('says that npm is missing and where to get it', async () => {
    const bin = join(folder, 'node-alone/bin');
    mkdirSync(bin, { recursive: true });
    const env = environment({ PATH: bin });
    const outcome = obtainPackages(set(), options({ env }));
    const hasOwnNpm = existsSync(join(process.execPath, '../../lib/node_modules/npm/bin/npm-cli.js'));
    if (hasOwnNpm) expect(existsSync(await outcome)).toBe(true);
    else await expect(outcome).rejects.toMatchObject({ code: 'no-npm', hint: expect.stringContaining('nodejs.org') });
  });

  it('says that npm does not start', async () => {
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    writeFileSync(join(bin, 'npm'), 'this is no program', { mode: 0o644 });
    await expect(obtainPackages(set(), options({ env: environment({ PATH: bin }) }))).rejects.toMatchObject({ code: 'no-npm' });
  });
});

describe('a set that Coxswain ships', () => {
  it.each(['chromium', 'documents', 'ocr', 'pictures'])('%s is pinned by hash and names no registry', (name) => {
    const { packages } = JSON.parse(readFileSync(join(shippedSet(name), 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { integrity?: string; resolved?: string }>;
    };
    const own = Object.entries(packages).filter(([path]) => path !== '');
    expect(own.length).toBeGreaterThan(0);
    for (const [path, { integrity, resolved }] of own) {
      expect(integrity, path).toMatch(/^sha512-/);
      expect(resolved, path).toBeUndefined();
    }
  });
});
