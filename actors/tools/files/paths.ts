/** Paths as a model gives them, the folders behind them, and errors that tell a model what there is instead. */
import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { z } from 'zod';
import { codeOf, messageOf } from '../../../platform/errors.ts';
import { resolveInside, type WorkspacePath } from '../workspace.ts';
import { withFolder } from './held-folder.ts';
import { isDraft } from './replace-file.ts';

export const Path = z.string().min(1).max(1024);
export const FilePath = Path.describe('File, relative to the workspace.');

/** Folders that no listing and no search goes into. */
export const ignored: ReadonlySet<string> = new Set(['node_modules', '.git']);

/** A path as a label for the operator: with slashes, without `./` in front. */
export const asTarget = (path: string): string => path.replaceAll('\\', '/').replace(/^(\.\/)+(?=.)/, '');

/** @throws Error as the system gives it, or for the model. */
export const entriesOf = (folder: WorkspacePath): Promise<Dirent[]> =>
  withFolder(folder, ({ address }) => readdir(address, { withFileTypes: true }));

/** Names in a folder, folders with a slash at the end. */
export async function listing(folder: WorkspacePath, most = Number.POSITIVE_INFINITY): Promise<string[]> {
  const entries = await entriesOf(folder);
  const rows = entries
    .filter(({ name }) => !ignored.has(name) && !isDraft(name))
    .map((entry) => inLine(entry.isDirectory() ? `${entry.name}/` : entry.name));
  return rows.length > most ? [...rows.sort().slice(0, most), '…'] : rows.sort();
}

/** A name that has line breaks or other control characters is quoted, so that it stays one name on one line. */
export const inLine = (name: string): string => (/\p{Cc}/u.test(name) ? JSON.stringify(name) : name);

/** An error that tells the model what was wrong and what there is instead, so that it can go on. */
export async function explain(path: string, cause: unknown, workspace: string): Promise<Error> {
  const code = codeOf(cause);
  if (code === 'ENOENT') {
    const names = await listing(await resolveInside(workspace, '.'), 40);
    return new Error(`there is no file ${path}; the workspace has ${names.join(', ')}`);
  }
  if (code === 'ELOOP') return new Error(`${path} is a link that leads nowhere or in a circle; name the file itself`);
  if (code === 'EISDIR') return new Error(`${path} is a folder; use list_files`);
  if (code === 'ENOTDIR') return new Error(`${path} is not a folder, or is below a file`);
  if (code === 'ENAMETOOLONG') return new Error(`a name in ${path} is too long`);
  if (code === 'EACCES' || code === 'EPERM') return new Error(`no permission for ${path}`);
  if (code === 'ENOSPC') return new Error(`no space left for ${path}`);
  return cause instanceof Error ? cause : new Error(messageOf(cause));
}
