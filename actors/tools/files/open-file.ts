/** Reads files of the workspace. */
import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import type { Content } from '../../../bus/artifacts/artifacts.ts';
import { codeOf } from '../../../platform/errors.ts';
import type { WorkspacePath } from '../workspace.ts';
import { stampOf } from './file-stamp.ts';
import { openAt } from './open-at.ts';

export interface OpenFile {
  readonly handle: FileHandle;
  /** Relative to the workspace, for errors. */
  readonly path: string;
  readonly size: number;
  readonly mode: number;
  /** Names that the file has, by hard links. */
  readonly names: number;
  /** Another one after every write. */
  readonly stamp: string;
}

/**
 * Opens a regular file, lets `use` read it, and closes it.
 * @throws Error as the system gives it, or for the model to read.
 */
export async function withFile<T>(path: WorkspacePath, use: (open: OpenFile) => Promise<T>): Promise<T> {
  const { name } = path;
  const handle = await openAt(path, constants.O_RDONLY).catch((cause: unknown) => {
    // A socket cannot be opened.
    throw codeOf(cause) === 'ENXIO' ? notRegular(name) : cause;
  });
  try {
    const found = await handle.stat({ bigint: true });
    if (found.isDirectory()) throw Object.assign(new Error(`${name} is a folder`), { code: 'EISDIR' });
    if (!found.isFile()) throw notRegular(name);
    const { size, mode, nlink } = found;
    return await use({
      handle,
      path: name,
      size: Number(size),
      mode: Number(mode),
      names: Number(nlink),
      stamp: stampOf(found),
    });
  } finally {
    await handle.close();
  }
}

/** As `withFile`. @returns null: there is no file. */
export const withFileIfAny = <T>(path: WorkspacePath, use: (open: OpenFile) => Promise<T>): Promise<T | null> =>
  withFile(path, use).catch((cause: unknown) => {
    if (codeOf(cause) === 'ENOENT') return null;
    throw cause;
  });

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

export const wholeOf = async (open: OpenFile): Promise<Content> => ({
  bytes: await bytesAt(open, 0, open.size),
  mode: open.mode,
});

const notRegular = (name: string) => new Error(`${name} is not a regular file`);
