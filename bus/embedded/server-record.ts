/**
 * The record of the shared server, through which all terminals of a user find it: `<state>/nats/server.json`, readable only by
 * the user. It is written under the server lock, once the server is ready. `server.pid` is written as soon as the process exists.
 * It identifies a server whose terminal was killed during the start, or whose record is damaged.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { codeOf, storageError } from '../../platform/errors.ts';
import type { Folders } from '../../platform/folders.ts';

export const ServerRecord = z.object({
  url: z.string(),
  port: z.number().int().min(1).max(65_535),
  /** Port for WebSockets. Servers that an older version started have none. */
  websocketPort: z.number().int().min(1).max(65_535).optional(),
  user: z.string().min(1),
  password: z.string().min(1),
  /** User of the system account, which may list the connected clients. */
  systemUser: z.string().min(1),
  systemPassword: z.string().min(1),
  /** Random for each start. It tells this server from another one on the same port. */
  serverName: z.string().min(1),
  pid: z.number().int().positive(),
  /** Start time of the process as in process-identity.ts; null if the system does not give it. */
  pidStart: z.string().nullable(),
  version: z.string(),
  binary: z.string(),
  startedAt: z.iso.datetime(),
});
export type ServerRecord = z.infer<typeof ServerRecord>;

const ProcessNote = z.object({ pid: z.number().int().positive(), start: z.string().nullable() });
export type ProcessNote = z.infer<typeof ProcessNote>;

export interface ServerPaths {
  readonly folder: string;
  readonly record: string;
  readonly pid: string;
  readonly config: string;
  /** The users of the pages of consoles (page-users-file.ts). */
  readonly pageUsers: string;
  readonly lock: string;
  /** Folder in which the server writes a file with its port. */
  readonly ports: string;
  readonly data: string;
  readonly log: string;
  /** Output of the server from before its log is open. */
  readonly stderr: string;
}

export function serverPaths({ state }: Folders): ServerPaths {
  const folder = join(state, 'nats');
  const at = (name: string): string => join(folder, name);
  return {
    folder,
    record: at('server.json'),
    pid: at('server.pid'),
    config: at('server.conf'),
    pageUsers: at('page-users.json'),
    lock: at('lock'),
    ports: at('ports'),
    data: at('data'),
    log: at('server.log'),
    stderr: at('server.stderr'),
  };
}

export type ReadRecord =
  | { readonly kind: 'none' }
  | { readonly kind: 'damaged' }
  | { readonly kind: 'record'; record: ServerRecord };

export function readRecord(paths: ServerPaths): ReadRecord {
  let text: string;
  try {
    text = readFileSync(paths.record, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return { kind: 'none' };
    throw storageError(error, paths.record, 'reading the record of the embedded server');
  }
  try {
    return { kind: 'record', record: ServerRecord.parse(JSON.parse(text)) };
  } catch {
    return { kind: 'damaged' };
  }
}

export const writeRecord = (paths: ServerPaths, record: ServerRecord): void =>
  writePrivately(paths, paths.record, JSON.stringify(record, null, 2));

export const writeProcessNote = (paths: ServerPaths, note: ProcessNote): void =>
  writePrivately(paths, paths.pid, JSON.stringify(note));

/** @returns null if the note is missing or damaged. */
export function readProcessNote(paths: ServerPaths): ProcessNote | null {
  try {
    return ProcessNote.parse(JSON.parse(readFileSync(paths.pid, 'utf8')));
  } catch {
    return null;
  }
}

/** Called after a clean stop, because the credentials were for that run only. */
export function removeRecord(paths: ServerPaths): void {
  for (const path of [paths.record, paths.pid, paths.config, paths.pageUsers]) rmSync(path, { force: true });
  rmSync(paths.ports, { recursive: true, force: true });
}

/** Writes a file that only the user can read. A rename puts it in place, so no reader sees an incomplete file. */
export function writePrivately(paths: ServerPaths, path: string, text: string): void {
  try {
    mkdirSync(paths.folder, { recursive: true, mode: 0o700 });
    const draft = `${path}.draft`;
    rmSync(draft, { force: true });
    writeFileSync(draft, text, { mode: 0o600, flag: 'wx' });
    renameSync(draft, path);
  } catch (error) {
    throw storageError(error, path, 'writing the record of the embedded server');
  }
}
