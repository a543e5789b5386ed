/** A folder of a workspace that is held open while files in it are listed, written or removed. */
import { constants, mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { codeOf } from '../../../platform/errors.ts';
import { folderOf, type WorkspacePath } from '../workspace.ts';
import { addressOf, mustLieAt, openAt } from './open-at.ts';

const { O_RDONLY, O_DIRECTORY = 0 } = constants;

export interface HeldFolder {
  /** For system calls, which then work in this folder, wherever its path leads meanwhile. Without /proc it is the path. */
  readonly address: string;
  /** The address of a name in the folder. */
  at(name: string): string;
  /** @throws Error for the model if the folder is at its path no more. */
  mustStay(): Promise<void>;
}
interface OpenFolder extends HeldFolder {
  close(): Promise<void>;
}

/** @throws Error as the system gives it, or for the model. */
export const withFolder = <T>(path: WorkspacePath, use: (folder: HeldFolder) => Promise<T>): Promise<T> =>
  using(openFolder(path), use);

/** The folder is made if there is none, and those above it. */
export const withMadeFolder = <T>(path: WorkspacePath, use: (folder: HeldFolder) => Promise<T>): Promise<T> =>
  using(openOrMake(path), use);

async function using<T>(opening: Promise<OpenFolder>, use: (folder: HeldFolder) => Promise<T>): Promise<T> {
  const folder = await opening;
  try {
    return await use(folder);
  } finally {
    await folder.close();
  }
}

async function openFolder(path: WorkspacePath, from?: string): Promise<OpenFolder> {
  const handle = await openAt(path, O_RDONLY | O_DIRECTORY, from);
  const address = addressOf(handle) ?? path.file;
  return {
    address,
    at: (name) => join(address, name),
    mustStay: () => mustLieAt(path, handle),
    close: () => handle.close(),
  };
}

function openOrMake(path: WorkspacePath): Promise<OpenFolder> {
  return openFolder(path).catch((cause: unknown) => {
    if (codeOf(cause) !== 'ENOENT' || path.file === path.root) throw cause;
    return using(openOrMake(folderOf(path)), async (above) => {
      const made = above.at(basename(path.file));
      await mkdir(made).catch((problem: unknown) => {
        if (codeOf(problem) !== 'EEXIST') throw problem;
      });
      return openFolder(path, made);
    });
  });
}
