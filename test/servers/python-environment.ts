/**
 * Python environments of the servers, each in a folder of its own in the cache. requirements/*.txt pins every package by version.
 * They are installed as wheels and without looking for others, so that no script of a package runs and nothing else comes along.
 */
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withLock } from '../../platform/lock.ts';
import { sizeOf } from '../../platform/progress.ts';
import { type Surroundings, Unavailable } from '../bench/peers/contender.ts';
import { bytesIn, onPath, reasonOf, run } from '../bench/peers/packages.ts';

/** @param name of its list in requirements/. @returns the folder of its programs. @throws Unavailable */
export async function pythonEnvironment(
  name: string,
  { cache, say, signal }: Pick<Surroundings, 'cache' | 'say' | 'signal'>,
): Promise<string> {
  const list = join(import.meta.dirname, 'requirements', `${name}.txt`);
  const wanted = readFileSync(list, 'utf8');
  const folder = join(cache, `python-${name}`);
  const programs = join(folder, 'bin');
  // Written last, so an interrupted install begins again.
  const marker = join(folder, 'installed.txt');
  if (!onPath('python3')) throw new Unavailable('no python3 on the PATH');
  await withLock(join(cache, 'locks', `python-${name}`), async () => {
    if (existsSync(marker) && readFileSync(marker, 'utf8') === wanted) return;
    say(`installing the Python packages of requirements/${name}.txt into ${folder} …`);
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    try {
      await run('python3', ['-m', 'venv', folder], { signal });
      const options = ['--quiet', '--no-deps', '--only-binary', ':all:', '--disable-pip-version-check'];
      await run(join(programs, 'pip'), ['install', ...options, '-r', list], { signal });
    } catch (error) {
      throw new Unavailable(`the Python packages of requirements/${name}.txt could not be installed: ${reasonOf(error)}`);
    }
    say(`installed: ${sizeOf(await bytesIn(folder))}`);
    await writeFile(marker, wanted);
  });
  return programs;
}
