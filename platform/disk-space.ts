/** Checks the free space of a disk before something large is put there. */
import { statfs } from 'node:fs/promises';
import { CoxError } from './errors.ts';
import { sizeOf } from './progress.ts';

/**
 * Resolves if the disk of `folder`, which must exist, has `neededBytes` free for `name`.
 * @throws CoxError `no-space`.
 */
export async function requireSpace(name: string, neededBytes: number, folder: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const freeBytes = bavail * bsize;
  if (freeBytes >= neededBytes) return;
  throw new CoxError('no-space', `${name} needs ${sizeOf(neededBytes)} in ${folder}, where ${sizeOf(freeBytes)} are free`, {
    hint: 'Free some space there, or point XDG_CACHE_HOME at a disk that has enough.',
  });
}
