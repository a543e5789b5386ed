/** Replaces a file as a whole, so that a crash or a full disk leaves the old one; or removes it. */
import { randomBytes } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, open, readdir, rename, rm, unlink } from 'node:fs/promises';
import { basename } from 'node:path';
import { folderOf, type WorkspacePath } from '../workspace.ts';
import { stampAt } from './file-stamp.ts';
import { type HeldFolder, withFolder, withMadeFolder } from './held-folder.ts';

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW = 0 } = constants;
const draftName = /^\.cox-[A-Za-z0-9-]+\.draft$/;
/** True for the name of a draft: a file that is being written, or that a killed process has left. */
export const isDraft = (name: string): boolean => draftName.test(name);

/**
 * Is called right before a file is replaced or removed, and throws if it must not be.
 * @param stamp of what is at the path (file-stamp.ts); null: nothing.
 */
export type LastCheck = (stamp: string | null) => void;

/**
 * Writes a draft in the folder of the file and renames it over the file. Nobody can know the name of the draft, and whatever is
 * at that name is not written to.
 * @param mode of the file that is replaced; null: there is none.
 */
export const replaceFile = (path: WorkspacePath, data: Uint8Array, mode: number | null, check?: LastCheck): Promise<void> =>
  withMadeFolder(folderOf(path), async (folder) => {
    await removeLeftovers(folder);
    const file = folder.at(basename(path.file));
    const draft = folder.at(`.cox-${randomBytes(16).toString('hex')}.draft`);
    try {
      const handle = await open(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode === null ? 0o666 : mode & 0o777);
      try {
        await handle.writeFile(data);
        if (mode !== null) await giveTo(handle, await lstat(file).catch(() => null), mode);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await folder.mustStay();
      check?.(await stampAt(file));
      await rename(draft, file);
    } catch (cause) {
      await rm(draft, { force: true });
      throw cause;
    }
  });

/** Owner, group and mode of the file that is replaced. The umask does not change the mode of a file that is there already. */
async function giveTo(handle: FileHandle, replaced: Stats | null, mode: number): Promise<void> {
  const { uid, gid } = await handle.stat();
  let isSame = replaced === null || (replaced.uid === uid && replaced.gid === gid);
  if (replaced && !isSame)
    isSame = await handle.chown(replaced.uid, replaced.gid).then(
      () => true,
      () => false,
    );
  // With another owner, the bits that run a program as its owner would mean somebody else.
  await handle.chmod(mode & (isSame ? 0o7777 : 0o1777));
}

export const removeFile = (path: WorkspacePath, check?: LastCheck): Promise<void> =>
  withFolder(folderOf(path), async (folder) => {
    const file = folder.at(basename(path.file));
    await folder.mustStay();
    check?.(await stampAt(file));
    await unlink(file);
  });

/** Time after which a draft has certainly no writer any more. */
const leftoverMs = 3_600_000;
async function removeLeftovers(folder: HeldFolder): Promise<void> {
  for (const name of (await readdir(folder.address)).filter(isDraft)) {
    const draft = folder.at(name);
    const found = await lstat(draft).catch(() => null);
    if (found && Date.now() - found.mtimeMs > leftoverMs) await rm(draft, { force: true });
  }
}
