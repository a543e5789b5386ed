/** A file as it is at the moment, looked at by a tool that is to write it. */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Content } from '../../../bus/artifacts/artifacts.ts';
import { codeOf } from '../../../platform/errors.ts';
import { resolveInside, type WorkspacePath } from '../workspace.ts';
import { bytesAt, type OpenFile, withFileIfAny } from './open-file.ts';
import { isDraft } from './replace-file.ts';
import { maxWholeBytes } from './text-blocks.ts';
import { decodeText, type FormedText } from './text-form.ts';

export interface FileState extends WorkspacePath {
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
  /** Another one after every write of the file (file-stamp.ts); null: there is no file. */
  readonly stamp: string | null;
}

/** Largest file that is replaced. The whole of it is read before, so that the operator is asked about what is there. */
const maxHashedBytes = 4_000_000_000;

export const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');

/**
 * @throws Error if the file could not be written: outside of the workspace, a folder, no permission. So the operator is not asked
 * about a call that cannot succeed.
 */
export async function fileState(workspace: string, path: string, signal: AbortSignal): Promise<FileState> {
  const at = await resolveInside(workspace, path);
  if (isDraft(basename(at.file))) throw new Error(`${path} has the name of a draft; use another name`);
  // They would put lines into the question whether the file may be written.
  if (/\p{Cc}/u.test(at.name)) throw new Error('the name has line breaks or other control characters; use another name');
  if (!at.name.isWellFormed()) throw new Error('the name has half of a character; use another name');
  const there = await withFileIfAny(at, async (open) => {
    const { size, mode, stamp } = open;
    await mustBeWritable(at.file);
    await mustBeWritable(dirname(at.file));
    // A user who may write anything, such as root, is not refused by the system.
    if ((mode & 0o222) === 0) throw new Error(`${path} is read-only; if it must change, the operator has to make it writable`);
    if (size > maxHashedBytes) throw new Error(`${path} is too large to be replaced: it has ${size} bytes`);
    const common = { ...at, size, mode, otherNames: open.names - 1, stamp };
    if (size > maxWholeBytes) return { ...common, sha: await hashOf(open, signal), data: null, formed: null };
    const data = await bytesAt(open, 0, size);
    return { ...common, sha: sha256(data), data, formed: decodeText(data) };
  });
  if (there) return there;
  await mustBeWritable(await nearestFolder(dirname(at.file)));
  return { ...at, sha: null, size: 0, mode: null, data: null, formed: null, otherNames: 0, stamp: null };
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
