/**
 * A Redis for the benchmark alone on a Unix socket: from the PATH, or Debian's packages, unpacked into the cache without an
 * install.
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { withLock } from '../../../platform/lock.ts';
import { sizeOf } from '../../../platform/progress.ts';
import { type Surroundings, Unavailable } from './contender.ts';
import { bytesIn, onPath, reasonOf, run } from './packages.ts';
import { startServer } from './server.ts';

export interface Redis {
  readonly socket: string;
  readonly version: string;
}

interface Program {
  readonly path: string;
  readonly env: NodeJS.ProcessEnv;
}

/** `redis-server` is a link to a program of redis-tools. The others are its libraries that a small system lacks. */
const debianPackages = ['redis-server', 'redis-tools', 'libjemalloc2', 'liblzf1'];

/** @throws Unavailable */
export async function redis(surroundings: Surroundings): Promise<Redis> {
  const own = onPath('redis-server');
  const { path, env } = own ? { path: own, env: process.env } : await fromDebian(surroundings);
  const { stdout } = await run(path, ['--version'], { env });
  const socket = join(surroundings.folder, 'redis.sock');
  // The operating system has each write before its answer; the disk has it within a second.
  const durable = ['--appendonly', 'yes', '--appendfsync', 'everysec', '--save', ''];
  const args = ['--port', '0', '--unixsocket', socket, '--dir', surroundings.folder, ...durable];
  const ready = async () => {
    if (!existsSync(socket)) throw new Error('no socket yet');
  };
  await startServer({ program: path, args, options: { env }, ready }, surroundings);
  return { socket, version: `Redis ${stdout.match(/v=([\d.]+)/)?.[1]}` };
}

async function fromDebian({ cache, say, signal }: Surroundings): Promise<Program> {
  const folder = join(cache, 'redis');
  const path = join(folder, 'root/usr/bin/redis-server');
  const libraries = join(folder, 'root/usr/lib', `${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`);
  const program = { path, env: { ...process.env, LD_LIBRARY_PATH: libraries } };
  if (!onPath('apt-get') || !onPath('dpkg')) throw new Unavailable('no redis-server on the PATH, and no apt-get to get one');
  await withLock(join(cache, 'locks', 'redis'), async () => {
    if (existsSync(path)) return;
    say(`no redis-server on the PATH: unpacking ${debianPackages.join(', ')} into ${folder} …`);
    const unpacking = join(folder, 'unpacking');
    await rm(folder, { recursive: true, force: true });
    await mkdir(unpacking, { recursive: true });
    try {
      await run('apt-get', ['download', ...debianPackages], { cwd: folder, signal });
      for (const file of await readdir(folder))
        if (file.endsWith('.deb')) await run('dpkg', ['-x', join(folder, file), unpacking]);
      await rename(unpacking, join(folder, 'root'));
      await run(path, ['--version'], { env: program.env });
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw new Unavailable(`no redis-server on the PATH, and Debian's could not be had: ${reasonOf(error)}`);
    }
    say(`unpacked: ${sizeOf(await bytesIn(folder))}`);
  });
  return program;
}
