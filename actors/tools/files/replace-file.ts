/** Replaces a file as a whole, so that a crash or a full disk leaves the old one. */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, mkdir, open, readdir, realpath, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW = 0 } = constants;
const draftName = /^\.cox-[A-Za-z0-9-]+\.draft$/;
/** True for the name of a draft: a file that is being written, or that a killed process has left. */
export const isDraft = (name: string): boolean => draftName.test(name);

/**
 * Writes a draft in the folder of the file and renames it over the file. Nobody can know the name of the draft, and whatever is
 * at that name is not written to.
 * @param file an absolute path without symlinks.
 * @param mode of the file that is replaced; null: there is none.
 * @param check is called right before the file is replaced, and throws if it must not be.
 */
export async function replaceFile(
  file: string,
  data: Uint8Array,
  mode: number | null,
  check?: () => Promise<void>,
): Promise<void> {
  const folder = dirname(file);
  await mkdir(folder, { recursive: true });
  await removeLeftovers(folder);
  const draft = join(folder, `.cox-${randomBytes(16).toString('hex')}.draft`);
  try {
    const handle = await open(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode === null ? 0o666 : mode & 0o777);
    try {
      await handle.writeFile(data);
      // The umask does not change the mode of a file that is there already.
      if (mode !== null) await handle.chmod(mode & 0o7777);
      await handle.sync();
    } finally {
      await handle.close();
    }
    // The folder may have become a link since the path was resolved.
    if ((await realpath(folder)) !== folder) throw new Error('its folder is being replaced by somebody else; try again');
    await check?.();
    await rename(draft, file);
  } catch (cause) {
    await rm(draft, { force: true });
    throw cause;
  }
}

/** Time after which a draft has certainly no writer any more. */
const leftoverMs = 3_600_000;
async function removeLeftovers(folder: string): Promise<void> {
  for (const name of (await readdir(folder)).filter(isDraft)) {
    const draft = join(folder, name);
    const found = await lstat(draft).catch(() => null);
    if (found && Date.now() - found.mtimeMs > leftoverMs) await rm(draft, { force: true });
  }
}
