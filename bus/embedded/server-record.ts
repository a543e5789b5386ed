/**
 * What all terminals of a user know of the shared server: `<state>/nats/server.json`, readable by its owner alone. Written only under the
 * server lock, and only once the server is ready. `server.pid` is written the moment the process exists, so that one whose starter was
 * killed, or whose record was damaged, can still be told from a stranger.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { codeOf, storageError } from '../../platform/errors.ts';
import type { Folders } from '../../platform/folders.ts';

export const ServerRecord = z.object({
  url: z.string(),
  port: z.number().int().min(1).max(65_535),
  user: z.string().min(1),
  password: z.string().min(1),
  /** For the system account, which may ask who is connected. */
  systemUser: z.string().min(1),
  systemPassword: z.string().min(1),
  /** Random per start: tells this server from another one on the same port. */
  serverName: z.string().min(1),
  pid: z.number().int().positive(),
  /** See process-identity.ts. */
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
  readonly lock: string;
  /** The server announces its port in a file here. */
  readonly ports: string;
  readonly data: string;
  readonly log: string;
  /** What the server says before its log is open. */
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
    throw storageError(error, paths.record, 'reading what is known of the embedded server');
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

/** Null also when it is damaged. */
export function readProcessNote(paths: ServerPaths): ProcessNote | null {
  try {
    return ProcessNote.parse(JSON.parse(readFileSync(paths.pid, 'utf8')));
  } catch {
    return null;
  }
}

/** After a clean stop: the credentials were for that run only. */
export function removeRecord(paths: ServerPaths): void {
  for (const path of [paths.record, paths.pid, paths.config]) rmSync(path, { force: true });
  rmSync(paths.ports, { recursive: true, force: true });
}

/** By rename, so that no reader sees half of it, and never readable by others, not even for a moment. */
export function writePrivately(paths: ServerPaths, path: string, text: string): void {
  try {
    mkdirSync(paths.folder, { recursive: true, mode: 0o700 });
    const draft = `${path}.draft`;
    rmSync(draft, { force: true });
    writeFileSync(draft, text, { mode: 0o600, flag: 'wx' });
    renameSync(draft, path);
  } catch (error) {
    throw storageError(error, path, 'writing down the embedded server');
  }
}
