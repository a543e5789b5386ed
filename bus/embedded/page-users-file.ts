/**
 * The users of the pages of consoles at the embedded server, with their passwords and how long each may log in: a file beside the
 * record of the server, readable only by the user of this machine. Users whose time is over or whose console has died do not count.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { isAlive } from '../../platform/process-identity.ts';
import { type ServerPaths, writePrivately } from './server-record.ts';

const Subjects = z.array(z.string());
export const PageUser = z.object({
  name: z.string().min(1),
  password: z.string().min(1),
  permissions: z.object({ publish: Subjects, subscribe: Subjects }),
  expiresAt: z.iso.datetime(),
  /** The console that made it. */
  pid: z.number().int().positive(),
  pidStart: z.string().nullable(),
});
export type PageUser = z.infer<typeof PageUser>;

/** A file that is missing or damaged has no users: pages get new ones from their consoles. */
export function readPageUsers({ pageUsers }: ServerPaths): PageUser[] {
  try {
    return z.array(PageUser).parse(JSON.parse(readFileSync(pageUsers, 'utf8')));
  } catch {
    return [];
  }
}

export const livePageUsers = (paths: ServerPaths, now = Date.now()): PageUser[] =>
  readPageUsers(paths).filter(({ expiresAt, pid, pidStart }) => Date.parse(expiresAt) > now && isAlive(pid, pidStart));

export const writePageUsers = (paths: ServerPaths, users: readonly PageUser[]): void =>
  writePrivately(paths, paths.pageUsers, JSON.stringify(users, null, 2));
