/** The files of a step beside those of now, and a folder with the files as they were. */
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import { sha256Of } from '../bus/artifacts/artifacts.ts';
import type { Crew } from '../bus/crew.ts';
import { type FileAtStep, filesAtStep } from '../bus/journal/files-at-step.ts';
import { readState } from '../bus/state/state-store.ts';
import type { TaskId } from '../bus/task-id.ts';
import { codeOf } from '../platform/errors.ts';
import { usageError } from './errors.ts';

export interface FileNow extends FileAtStep {
  /** Whether the file in the workspace is now as it was at the step; null: it cannot be told here. */
  readonly isSame: boolean | null;
}
export interface FilesOfStep {
  readonly workspace: string | null;
  readonly files: readonly FileNow[];
  /** Files that the tools of the task have read and its calls have not changed. */
  readonly read: readonly string[];
}

/** The largest file that is compared or copied, in bytes. */
const maxBytes = 64 * 2 ** 20;

export async function filesOfStep(crew: Crew, id: TaskId, step: number): Promise<FilesOfStep> {
  const record = (await readState(crew.bus, id))?.record;
  if (!record) return { workspace: null, files: [], read: [] };
  // A stranger may have written what was imported: its folder is of another machine, and no file of this one belongs to it.
  const workspace = record.archived === undefined ? record.spec.workspace : null;
  const files = await filesAtStep(crew.artifacts(), record, step);
  const { sources } = (record.snapshot?.context ?? {}) as { sources?: unknown };
  const changed = new Set(files.map(({ path }) => path));
  const read = Array.isArray(sources) ? sources.filter((it): it is string => typeof it === 'string' && !changed.has(it)) : [];
  const now = files.map(async (file) => ({ ...file, isSame: await isSame(workspace, file) }));
  return { workspace, files: await Promise.all(now), read };
}

async function isSame(workspace: string | null, { path, sha256 }: FileAtStep): Promise<boolean | null> {
  const place = workspace === null ? null : placeIn(workspace, path);
  if (place === null || sha256 === 'unknown') return null;
  const bytes = await contentOf(place);
  return (bytes && sha256Of(bytes)) === sha256;
}

/** @returns null where the path leads out of the folder: a stranger may have written the record. */
export function placeIn(folder: string, path: string): string | null {
  if (isAbsolute(path) || path.includes('\0')) return null;
  const place = resolve(folder, path);
  const inside = relative(folder, place);
  return inside === '' || inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside) ? null : place;
}

async function contentOf(file: string): Promise<Uint8Array | null> {
  const found = await stat(file).catch(() => null);
  return found?.isFile() && found.size <= maxBytes ? readFile(file) : null;
}

export interface Written {
  readonly written: readonly string[];
  /** Files that are not there as they were, with the reason. */
  readonly left: readonly { readonly path: string; readonly why: string }[];
}

/**
 * Writes the files as they were at the step into a new or empty folder, and beside them those that the task has read, as they are
 * now. @throws CoxError `usage` for a folder that has files.
 */
export async function writeFilesOfStep(crew: Crew, { workspace, files, read }: FilesOfStep, folder: string): Promise<Written> {
  await mkdir(folder, { recursive: true });
  if ((await readdir(folder)).length > 0)
    throw usageError(`${folder} is not empty.`, 'Name a new folder with --files.', 'bad-folder');
  const written: string[] = [];
  const left: Written['left'][number][] = [];
  const save = async (path: string, bytes: Uint8Array) => {
    const place = placeIn(folder, path);
    if (place === null) return left.push({ path, why: 'it is not in the workspace' });
    await mkdir(dirname(place), { recursive: true });
    await writeFile(place, bytes, { flag: 'wx' });
    return written.push(path);
  };
  for (const { path, artifact, sha256, isSame: asThen } of files) {
    if (sha256 === 'unknown') left.push({ path, why: 'what the call replaced was not kept' });
    else if (artifact !== null) {
      const content = await crew.artifacts().read(artifact);
      if (content) await save(path, content.bytes);
    } else if (sha256 === null) continue;
    else if (asThen) await save(path, (await contentOf(placeIn(workspace!, path)!))!);
    else left.push({ path, why: 'it has changed since, and nothing has kept it' });
  }
  for (const path of read) {
    const place = workspace === null ? null : placeIn(workspace, path);
    const bytes = place === null ? null : await contentOf(place);
    if (bytes) await save(path, bytes).catch((cause) => left.push({ path, why: codeOf(cause) }));
  }
  return { written, left };
}
