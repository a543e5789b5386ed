/** Writes a file that the operator asked for, and replaces none unless told to. */
import { randomUUID } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { codeOf, messageOf } from '../platform/errors.ts';
import { usageError } from './errors.ts';

/** @throws CoxError `file-exists`, where `replaces` is false; the error of the system. */
export async function saveFile(path: string, bytes: Uint8Array, replaces: boolean): Promise<void> {
  // The other file is made beside it, so that a reader never sees a part, and a link in its place is replaced and not followed.
  const target = replaces ? join(dirname(path), `.${basename(path).slice(0, 60)}.${randomUUID()}`) : path;
  const file = await open(target, 'wx').catch((cause: unknown) => {
    if (['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'].includes(codeOf(cause)))
      throw usageError(
        `${path} cannot be written: ${messageOf(cause)}`,
        'Name a file in a folder that is there, with -o.',
        'bad-file',
      );
    if (codeOf(cause) === 'EEXIST')
      throw usageError(`${path} is there already.`, 'Name another file with -o, or add --force.', 'file-exists');
    throw cause;
  });
  try {
    await file.writeFile(bytes).finally(() => file.close());
    if (replaces) await rename(target, path);
  } catch (cause) {
    await rm(target, { force: true });
    throw cause;
  }
}
