/**
 * Packages that only this benchmark needs: pinned, installed into a folder of their own in the cache on first use, and loaded
 * from there. Install scripts do not run, so nothing is compiled, fetched from elsewhere or reported.
 */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '../../../platform/errors.ts';
import { withLock } from '../../../platform/lock.ts';
import { sizeOf } from '../../../platform/progress.ts';
import { type Surroundings, Unavailable } from './contender.ts';

export const run = promisify(execFile);

/** The last 300 characters of a failed command's error, on one line. */
export const reasonOf = (error: unknown): string => messageOf(error).trim().replace(/\s+/g, ' ').slice(-300);

/** @param packages `name@version`. @returns the folder, and a `require` that resolves from inside it. @throws Unavailable */
export async function installed(
  name: string,
  packages: readonly string[],
  { cache, say, signal }: Pick<Surroundings, 'cache' | 'say' | 'signal'>,
): Promise<{ load: NodeJS.Require; folder: string }> {
  const folder = join(cache, name);
  // Written last, so an interrupted install begins again.
  const marker = join(folder, 'installed.txt');
  const wanted = packages.join('\n');
  await withLock(join(cache, 'locks', name), async () => {
    if (existsSync(marker) && readFileSync(marker, 'utf8') === wanted) return;
    say(`installing ${packages.join(', ')} into ${folder} …`);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'package.json'), '{ "private": true }\n');
    const options = ['--no-audit', '--no-fund', '--ignore-scripts', '--save-exact', '--loglevel=error'];
    try {
      await run('npm', ['install', '--prefix', folder, ...options, ...packages], { cwd: folder, signal });
    } catch (error) {
      throw new Unavailable(`npm could not install ${packages.join(', ')}: ${reasonOf(error)}`);
    }
    say(`installed: ${sizeOf(await bytesIn(folder))}`);
    await writeFile(marker, wanted);
  });
  return { load: createRequire(join(folder, 'package.json')), folder };
}

export async function bytesIn(folder: string): Promise<number> {
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(file.parentPath, file.name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** The path of a program on the PATH, or null. */
export function onPath(program: string): string | null {
  const folders = (process.env.PATH ?? '').split(':');
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path)) ?? null;
}
