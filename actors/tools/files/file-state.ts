/** A file as it is at the moment, looked at by a tool that is to write it. */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, realpath, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Content } from '../../../bus/artifacts/artifacts.ts';
import { codeOf } from '../../../platform/errors.ts';
import { resolveInside, shown } from '../workspace.ts';
import { bytesAt, type OpenFile, withFile } from './open-file.ts';
import { isDraft } from './replace-file.ts';
import { maxWholeBytes } from './text-blocks.ts';
import { decodeText, type FormedText } from './text-form.ts';

export interface FileState {
  /** Absolute path with symlinks resolved. */
  readonly file: string;
  /** The path as the operator sees it: relative to the workspace, with slashes. */
  readonly name: string;
  /** sha256 in hex; null: there is no file. */
  readonly sha: string | null;
  readonly size: number;
  /** null: there is no file. */
  readonly mode: number | null;
  /** null: there is no file, or it is larger than `maxWholeBytes`. */
  readonly data: Buffer | null;
  /** null: there is no file, or it is not text, or it is larger than `maxWholeBytes`. */
  readonly formed: FormedText | null;
  /** Further names that the file has, by hard links. They keep the old content when this one is replaced. */
  readonly otherNames: number;
  /** Changes with every write of the file. */
  readonly stamp: string | null;
}

export const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');

/**
 * @throws Error if the file could not be written: outside of the workspace, a folder, no permission. So the operator is not asked
 * about a call that cannot succeed.
 */
export async function fileState(workspace: string, path: string, signal: AbortSignal): Promise<FileState> {
  const file = await resolveInside(workspace, path);
  const name = shown(await realpath(workspace), file);
  if (isDraft(basename(file))) throw new Error(`${path} has the name of a draft; use another name`);
  const stamp = await stampOf(file);
  await mustBeWritable(stamp === null ? await nearestFolder(dirname(file)) : file);
  if (stamp === null) return { file, name, sha: null, size: 0, mode: null, data: null, formed: null, otherNames: 0, stamp };
  await mustBeWritable(dirname(file));
  return await withFile(file, path, async (open) => {
    const { size, mode } = open;
    // A user who may write anything, such as root, is not refused by the system.
    if ((mode & 0o222) === 0) throw new Error(`${path} is read-only; if it must change, the operator has to make it writable`);
    const common = { file, name, size, mode, otherNames: open.names - 1, stamp };
    if (size > maxWholeBytes) return { ...common, sha: await hashOf(open, signal), data: null, formed: null };
    const data = await bytesAt(open, 0, size);
    return { ...common, sha: sha256(data), data, formed: decodeText(data) };
  });
}

/** The state with another content; null: without a file. */
export const stateWith = (state: FileState, content: Content | null): FileState => {
  const data = content && Buffer.from(content.bytes.buffer, content.bytes.byteOffset, content.bytes.byteLength);
  const isLarge = data !== null && data.length > maxWholeBytes;
  return {
    ...state,
    sha: data && sha256(data),
    size: data?.length ?? 0,
    mode: content?.mode ?? null,
    data: isLarge ? null : data,
    formed: data === null || isLarge ? null : decodeText(data),
  };
};

/** @returns null: there is no file. */
export async function stampOf(file: string): Promise<string | null> {
  const found = await stat(file, { bigint: true }).catch((cause: unknown) => {
    if (codeOf(cause) === 'ENOENT') return null;
    throw cause;
  });
  return found && [found.dev, found.ino, found.size, found.mtimeNs, found.ctimeNs].join(' ');
}

const mustBeWritable = (path: string): Promise<void> => access(path, constants.W_OK);

async function nearestFolder(folder: string): Promise<string> {
  const there = await stat(folder).catch((cause: unknown) => {
    if (codeOf(cause) === 'ENOENT') return null;
    throw cause;
  });
  if (there && !there.isDirectory()) throw Object.assign(new Error(`${folder} is not a folder`), { code: 'ENOTDIR' });
  return there ? folder : await nearestFolder(dirname(folder));
}

async function hashOf(open: OpenFile, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for (let at = 0; at < open.size; ) {
    signal.throwIfAborted();
    const data = await bytesAt(open, at, 4_194_304);
    if (data.length === 0) break;
    hash.update(data);
    at += data.length;
  }
  return hash.digest('hex');
}
