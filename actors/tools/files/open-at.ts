/**
 * Opens what is in a workspace, and nothing else (docs/security.md, Files). A path has been resolved before, and any folder of it
 * may have become a link since.
 * - Whatever is open is asked where it lies, before anything is done with it. The system answers for the opened file itself, so it
 *   does not matter where its path leads by then.
 * - What is written, renamed or removed is named from its folder, which is held open (held-folder.ts).
 */
import { existsSync } from 'node:fs';
import { constants, type FileHandle, open, readlink, realpath, stat } from 'node:fs/promises';
import type { WorkspacePath } from '../workspace.ts';
import { isInside } from '../workspace.ts';

/** Zero on systems that lack the flag. */
const { O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;

/** The folder in which Linux shows what this process has open. */
const descriptors = '/proc/self/fd';
const hasDescriptors = existsSync(descriptors);

/**
 * @param flags of open(2). A link at the path is not followed, and a pipe is not waited for.
 * @param address where the path is opened from, if another one than the path itself.
 * @throws Error as the system gives it, or for the model if what was opened lies elsewhere.
 */
export async function openAt(path: WorkspacePath, flags: number, address = path.file): Promise<FileHandle> {
  const handle = await open(address, flags | O_NOFOLLOW | O_NONBLOCK);
  try {
    await mustLieAt(path, handle);
    return handle;
  } catch (cause) {
    await handle.close();
    throw cause;
  }
}

export async function mustLieAt(path: WorkspacePath, handle: FileHandle): Promise<void> {
  const lies = hasDescriptors ? liesAt(path, await readlink(descriptor(handle))) : await liesAtByName(path, handle);
  if (!lies) throw new Error(`${path.name} is being replaced by somebody else; try again`);
}

/** Address of an open folder, below which names are looked up in that folder. null: the system has none. */
export const addressOf = (folder: FileHandle): string | null => (hasDescriptors ? descriptor(folder) : null);

const descriptor = ({ fd }: FileHandle): string => `${descriptors}/${fd}`;

/** Linux adds this where the opened file has lost its name since, as every file does that is replaced. */
const removed = / \(deleted\)$/;
function liesAt({ root, file }: WorkspacePath, found: string): boolean {
  const actual = found === file ? found : found.replace(removed, '');
  // A system that takes upper and lower case for the same may know the file by another spelling.
  return isInside(root, actual) && (actual === file || spelled(actual) === spelled(file));
}
const spelled = (path: string): string => path.normalize('NFC').toLowerCase();

/** Where the system does not tell, names are compared. Somebody who swaps folders at the right moments is not noticed. */
async function liesAtByName({ file }: WorkspacePath, handle: FileHandle): Promise<boolean> {
  if ((await realpath(file)) !== file) return false;
  const [opened, there] = [await handle.stat(), await stat(file)];
  return opened.ino === there.ino && opened.dev === there.dev && (await realpath(file)) === file;
}
