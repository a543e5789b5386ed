/** Opens files of the workspace for reading. */
import { constants } from 'node:fs';
import { type FileHandle, open, realpath, stat } from 'node:fs/promises';
import { codeOf } from '../../../platform/errors.ts';

/** Zero on systems that lack the flag. */
const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;

export interface OpenFile {
  readonly handle: FileHandle;
  /** Absolute path with symlinks resolved. */
  readonly file: string;
  /** The path as the caller gave it, for errors. */
  readonly path: string;
  readonly size: number;
  readonly mode: number;
  /** Names that the file has, by hard links. */
  readonly names: number;
}

/**
 * Opens a regular file, lets `use` read it, and closes it. A link or a pipe that takes the file's place meanwhile is neither
 * followed nor waited for, and a folder that becomes a link meanwhile is noticed: the opened file must be the one at the path.
 * @param file an absolute path without symlinks.
 * @throws Error as the system gives it, or for the model to read.
 */
export async function withFile<T>(file: string, path: string, use: (open: OpenFile) => Promise<T>): Promise<T> {
  const handle = await open(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch((cause: unknown) => {
    // A socket cannot be opened.
    throw codeOf(cause) === 'ENXIO' ? notRegular(path) : cause;
  });
  try {
    const found = await handle.stat();
    if (found.isDirectory()) throw Object.assign(new Error(`${path} is a folder`), { code: 'EISDIR' });
    if (!found.isFile()) throw notRegular(path);
    const there = await stat(file);
    if ((await realpath(file)) !== file || there.ino !== found.ino || there.dev !== found.dev)
      throw new Error(`${path} is being replaced by somebody else; try again`);
    return await use({ handle, file, path, size: found.size, mode: found.mode, names: found.nlink });
  } finally {
    await handle.close();
  }
}

/** Reads `length` bytes from `position`, or fewer at the end of the file. */
export async function bytesAt({ handle }: OpenFile, position: number, length: number): Promise<Buffer> {
  const data = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(data, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return data.subarray(0, filled);
}

const notRegular = (path: string) => new Error(`${path} is not a regular file`);
