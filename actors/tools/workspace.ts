/**
 * File tools are confined to one folder: a path is resolved with all its symlinks, and a path that leads outside is refused.
 * Folders may become links after that, so whatever is at the path is opened by `files/open-at.ts` alone.
 */
import { access, lstat, readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, posix, relative, resolve, sep } from 'node:path';
import { codeOf } from '../../platform/errors.ts';

/** A path in a workspace, which lay inside when it was resolved. There may be nothing there. */
export interface WorkspacePath {
  /** The workspace, absolute with symlinks resolved. */
  readonly root: string;
  /** The path, absolute with symlinks resolved. */
  readonly file: string;
  /** The path as models and operators see it: relative to the workspace, with slashes; `.` is the workspace. */
  readonly name: string;
}

/**
 * @param path as the model gave it, relative to the workspace; it may not exist yet.
 * @throws Error for the model to read.
 */
export async function resolveInside(workspace: string, path: string): Promise<WorkspacePath> {
  if (path.includes('\0')) throw new Error('a path must not have zero bytes');
  const root = await realpath(workspace);
  const wanted = resolve(root, await asOnDisk(root, path));
  const real = await realOrParent(wanted);
  if (!isInside(root, wanted) || !isInside(root, real))
    throw new Error(`${path} is outside the workspace; use a path relative to it`);
  return { root, file: real, name: relative(root, real).split(sep).join('/') || '.' };
}

export const folderOf = ({ root, file, name }: WorkspacePath): WorkspacePath => ({
  root,
  file: dirname(file),
  name: posix.dirname(name),
});
/** The path of a name in a folder. */
export const inFolder = ({ root, file, name }: WorkspacePath, child: string): WorkspacePath => ({
  root,
  file: join(file, child),
  name: name === '.' ? child : `${name}/${child}`,
});

/**
 * Models write paths with backslashes, with the workspace's name in front, with accents in another normal form than the disk
 * has, or with an ordinary blank for a special one, such as the narrow one in the names of screenshots on a Mac. These are
 * corrected if no file is at the path as written.
 */
async function asOnDisk(root: string, path: string): Promise<string> {
  const slashed = path.replaceAll('\\', '/');
  const [first, ...rest] = slashed.split('/');
  const spellings = [path, slashed, ...(first === basename(root) && rest.length > 0 ? [rest.join('/')] : [])];
  for (const spelling of spellings) if (await isThere(resolve(root, spelling))) return spelling;
  // Of a new file in such a folder, the folder is found.
  return (await inOtherForm(root, slashed)) ?? path;
}

const specialBlanks = /[\u00A0\u2000-\u200A\u202F\u205F\u3000]/g;
/** Systems write typographic signs into the names of screenshots. */
const plainName = (name: string): string =>
  name.normalize('NFC').replaceAll(specialBlanks, ' ').replaceAll(/[‘’ʼ]/g, "'").replaceAll(/[“”]/g, '"');

/** @returns the path with the names that the folders have for it; null if the path has no character with several forms. */
async function inOtherForm(root: string, given: string): Promise<string | null> {
  if (isAbsolute(given) && !isInside(root, given)) return null;
  const path = isAbsolute(given) ? relative(root, given) : given;
  if (path.normalize('NFD') === path.normalize('NFC') && !/[ '"]/.test(plainName(path))) return null;
  let folder = root;
  for (const name of path.split('/')) {
    const names: string[] = await readdir(folder).catch(() => []);
    const same = names.includes(name) ? [name] : names.filter((it) => plainName(it) === plainName(name));
    const first = same.find((it) => it.normalize('NFC') === name.normalize('NFC'));
    // Two files whose names differ only in a blank or a quotation mark are not taken for each other.
    folder = join(folder, first ?? (same.length === 1 ? same[0]! : name));
  }
  return relative(root, folder);
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

export const isInside = (root: string, path: string): boolean => {
  const way = relative(root, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
};

/** Whether there is a file at a path as a model or an operator wrote it. */
export const isFile = (workspace: string, path: string): Promise<boolean> =>
  resolveInside(workspace, path)
    .then(({ file }) => stat(file))
    .then(
      (found) => found.isFile(),
      () => false,
    );

/**
 * Resolves symlinks. For a path that does not exist, those of its nearest existing parent folder are resolved.
 * @throws Error with the code ELOOP for a link that leads nowhere: what would be made there may lie anywhere.
 */
async function realOrParent(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (cause) {
    const code = codeOf(cause);
    if (code !== 'ENOENT') throw Object.assign(new Error(`${path}: ${code}`), { code });
    if (await isLink(path)) throw Object.assign(new Error(`${path} is a link that leads nowhere`), { code: 'ELOOP' });
    const parent = dirname(path);
    return parent === path ? path : join(await realOrParent(parent), basename(path));
  }
}

const isLink = (path: string): Promise<boolean> =>
  lstat(path).then(
    (found) => found.isSymbolicLink(),
    () => false,
  );
