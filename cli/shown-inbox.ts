/**
 * Remembers the list that `cox inbox` has shown last, for each shell: the numbers of `cox answer 2 yes` are those that this shell
 * has seen, whatever other terminals show meanwhile. A shell is the parent process of `cox`. Its list is forgotten once it has
 * ended.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { z } from 'zod';
import { TaskId } from '../bus/task-id.ts';
import { storageError } from '../platform/errors.ts';
import type { Folders } from '../platform/folders.ts';
import { isAlive, startOf } from '../platform/process-identity.ts';
import type { Shown } from './inbox.ts';

const File = z.object({
  pid: z.number().int(),
  start: z.string().nullable(),
  shown: z.array(z.object({ number: z.number().int(), id: TaskId, question: z.string() })),
});

const folderOf = ({ state }: Folders): string => join(state, 'inbox');
const fileOf = (folders: Folders): string => join(folderOf(folders), `${process.ppid}.json`);

/** @throws CoxError `no-space`, `read-only`, `storage-failed`. */
export function remember(folders: Folders, shown: readonly Shown[]): void {
  const [folder, file] = [folderOf(folders), fileOf(folders)];
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    forgetEnded(folder);
    const draft = `${file}.${process.pid}`;
    writeFileSync(draft, JSON.stringify({ pid: process.ppid, start: startOf(process.ppid), shown }), { mode: 0o600 });
    renameSync(draft, file);
  } catch (error) {
    throw storageError(error, file, 'remembering the list');
  }
}

/** @returns null if this shell has not been shown a list. */
export function recall(folders: Folders): readonly Shown[] | null {
  const found = read(fileOf(folders));
  return found && found.pid === process.ppid && found.start === startOf(process.ppid) ? found.shown : null;
}

function read(file: string): z.infer<typeof File> | null {
  try {
    return File.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return null;
  }
}

function forgetEnded(folder: string): void {
  for (const name of readdirSync(folder)) {
    const found = name.endsWith('.json') ? read(join(folder, name)) : null;
    if (found && !isAlive(found.pid, found.start)) rmSync(join(folder, name), { force: true });
  }
}
