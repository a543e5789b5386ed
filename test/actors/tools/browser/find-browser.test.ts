import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type FoundBrowser,
  findBrowser,
  obtainBrowser,
  oldestMajor,
  tooOld,
} from '../../../../actors/tools/browser/find-browser.ts';
import { foldersOf } from '../../../../platform/folders.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cox-find-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Puts a program that prints this on the PATH of the test. */
function program(name: string, output: string, mode = 0o755): string {
  mkdirSync(join(folder, 'bin'), { recursive: true });
  const path = join(folder, 'bin', name);
  writeFileSync(path, `#!/bin/sh\necho '${output}'\n`);
  chmodSync(path, mode);
  return path;
}
const find = (env: NodeJS.ProcessEnv = {}, cacheFolder = join(folder, 'cache')) =>
  findBrowser({ cacheFolder, env: { PATH: join(folder, 'bin'), ...env } });
const trying = async (...args: Parameters<typeof find>): Promise<string> => {
  const found = await find(...args);
  return 'missing' in found ? found.tried.join('\n') : `found ${found.path}`;
};

// The usual places of the machine are searched after the PATH, so a browser on the PATH is found on every machine.
describe.skipIf(process.platform === 'win32')('a browser is found', () => {
  it('where COX_CHROMIUM says, and nowhere else if that cannot be used', async () => {
    program('chromium', 'Chromium 153.0.1.0');
    const chosen = program('mine', 'Google Chrome 150.1.2.3');
    expect(await find({ COX_CHROMIUM: chosen })).toMatchObject({
      path: chosen,
      version: 'Google Chrome 150.1.2.3',
      source: 'COX_CHROMIUM',
    });
    expect(await trying({ COX_CHROMIUM: join(folder, 'nothing') })).toContain('is no program');
    expect(await trying({ COX_CHROMIUM: '/bin/echo' })).toContain('is no Chrome, Chromium or Edge');
  });

  it.each([
    ['google-chrome', 'Google Chrome 151.0.1.2'],
    ['chromium', 'Chromium 152.0.1.2 built on Debian'],
    ['microsoft-edge', 'Microsoft Edge 149.0.1.2'],
  ])('on the PATH as %s', async (name, output) => {
    const path = program(name, output);
    expect(await find()).toEqual({ path, version: output, source: 'installed', env: {} });
  });

  it('on the PATH behind one that is too old or broken', async () => {
    program('google-chrome', `Google Chrome ${oldestMajor - 1}.0.0.0`);
    const broken = program('chromium', '');
    writeFileSync(broken, '#!/bin/sh\necho "libnss3.so: cannot open shared object file" >&2\nexit 127\n');
    const path = program('microsoft-edge', 'Microsoft Edge 149.0.1.2');
    expect(await find()).toMatchObject({ path });
  });

  it('in the cache of the machine, and starts there', async () => {
    const { cache } = foldersOf(process.env);
    const log = pino({ level: 'silent' });
    const found: FoundBrowser = await obtainBrowser({ folder: cache, log, env: { ...process.env, COX_CHROMIUM: undefined } });
    expect(['cache', 'installed']).toContain(found.source);
  });

  it('nowhere, and each place is named', async () => {
    const tried = await trying();
    if (tried.startsWith('found')) return;
    expect(tried).toContain('on the PATH or in the usual places');
    expect(tried).toContain(`${join(folder, 'cache')}`);
  });

  it('in no place that COX_CHROMIUM does not name, and none is fetched instead', async () => {
    const log = pino({ level: 'silent' });
    const env = { PATH: '', COX_CHROMIUM: join(folder, 'nothing') };
    await expect(obtainBrowser({ folder, log, env })).rejects.toMatchObject({
      code: 'no-browser',
      hint: expect.stringContaining('COX_CHROMIUM'),
    });
  });
});

it.each([
  ['Chromium 153.0.8010.0', null],
  ['Google Chrome 129.0.6668.58', 'older than'],
  ['Chromium', 'older than'],
  [null, null],
])('the version %s', (version, why) => {
  if (why === null) expect(tooOld(version)).toBeNull();
  else expect(tooOld(version)).toContain(why);
});
