/**
 * Lets the pages of consoles log in to the embedded server, each as a user of its own that only reads (docs/adr/0044). Invariants:
 * - The configuration of the running server has the users of the file, and is only written under the server lock.
 * - A user whose time is over, or whose console has ended, is taken out by the next change, by any terminal that looks, or by the
 *   next start of the server. The server then closes the connection of the page.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { CoxError } from '../../platform/errors.ts';
import type { Folders } from '../../platform/folders.ts';
import { withLock } from '../../platform/lock.ts';
import type { Log } from '../../platform/log.ts';
import { startOf } from '../../platform/process-identity.ts';
import type { Subjects } from '../subjects.ts';
import { type Permissions, permissionsOf } from '../team/roles.ts';
import { livePageUsers, type PageUser, readPageUsers, writePageUsers } from './page-users-file.ts';
import { reloadServer } from './server-clients.ts';
import { account, usersOf } from './server-config.ts';
import { readRecord, type ServerPaths, type ServerRecord, serverPaths, writePrivately } from './server-record.ts';

/** The login of a page, and the address for it. */
export interface PageLogin {
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly expiresAt: string;
}

export class PageUsers {
  readonly #paths: ServerPaths;
  readonly #subjects: Subjects;

  constructor(folders: Folders, subjects: Subjects) {
    this.#paths = serverPaths(folders);
    this.#subjects = subjects;
  }

  /** The address of the WebSocket. @throws CoxError `no-websocket`, `no-crew`. */
  url(): string {
    return websocketOf(runningServer(this.#paths));
  }

  /**
   * Adds a user for a page that logs in for at most `ttlMs`, in place of the users in `instead`.
   * @throws CoxError `no-websocket`, `no-crew`, and every error of the system connection.
   */
  async add(ttlMs: number, instead: readonly string[], signal?: AbortSignal): Promise<PageLogin> {
    const name = `page-${randomBytes(9).toString('hex')}`;
    const user: PageUser = {
      name,
      password: randomBytes(24).toString('base64url'),
      permissions: lists(permissionsOf(this.#subjects, name, ['console'])),
      expiresAt: new Date(Date.now() + ttlMs).toISOString(),
      pid: process.pid,
      pidStart: startOf(process.pid),
    };
    const url = await this.#change((users) => [...users.filter((each) => !instead.includes(each.name)), user], signal);
    return { url, user: name, password: user.password, expiresAt: user.expiresAt };
  }

  /** Takes users out; the server closes their connections. Does nothing if the server has ended. */
  async remove(names: readonly string[], signal?: AbortSignal): Promise<void> {
    if (readRecord(this.#paths).kind !== 'record' || names.length === 0) return;
    await this.#change((users) => users.filter(({ name }) => !names.includes(name)), signal);
  }

  async #change(change: (live: PageUser[]) => PageUser[], signal: AbortSignal | undefined): Promise<string> {
    const step = async () => {
      const record = runningServer(this.#paths);
      const url = websocketOf(record);
      await apply(this.#paths, record, change(livePageUsers(this.#paths)));
      return url;
    };
    return withLock(this.#paths.lock, step, { signal });
  }
}

const lists = ({ publish, subscribe }: Permissions): PageUser['permissions'] => ({
  publish: [...publish],
  subscribe: [...subscribe],
});

/** Every terminal looks this often (ms) for pages whose console was killed. */
const sweepMs = 30_000;

/** A killed console cannot take back the users of its pages; the terminals that are left do, until `signal` fires. */
export function sweepNowAndThen(paths: ServerPaths, signal: AbortSignal, log: Log): void {
  const hasStale = () => livePageUsers(paths).length < readPageUsers(paths).length;
  const underLock = async () => {
    const read = readRecord(paths);
    if (read.kind === 'record' && hasStale()) await apply(paths, read.record, livePageUsers(paths));
  };
  const sweep = () => {
    if (!hasStale()) return;
    withLock(paths.lock, underLock, { signal }).catch((err) => {
      if (!signal.aborted) log.warn({ err }, 'could not take out the pages of a console that has ended');
    });
  };
  sweep();
  const timer = setInterval(sweep, sweepMs).unref();
  signal.addEventListener('abort', () => clearInterval(timer));
}

async function apply(paths: ServerPaths, record: ServerRecord, users: readonly PageUser[]): Promise<void> {
  writePageUsers(paths, users);
  const config = JSON.parse(readFileSync(paths.config, 'utf8'));
  const wanted = usersOf(record, users);
  if (isDeepStrictEqual(config.accounts[account].users, wanted)) return;
  config.accounts[account].users = wanted;
  writePrivately(paths, paths.config, JSON.stringify(config, null, 2));
  await reloadServer(record);
}

function runningServer(paths: ServerPaths): ServerRecord {
  const read = readRecord(paths);
  if (read.kind === 'record') return read.record;
  throw new CoxError('no-crew', 'No crew is running on this machine', { hint: 'Start one with `cox` or `cox up`.' });
}

function websocketOf({ websocketPort, pid }: ServerRecord): string {
  if (websocketPort !== undefined) return `ws://127.0.0.1:${websocketPort}`;
  throw new CoxError(
    'no-websocket',
    `The embedded nats-server (process ${pid}) has no WebSocket: an older version of Coxswain started it`,
    { hint: 'End every cox on this machine, so that the server ends too, then start them again; nothing stored is lost.' },
  );
}
