/**
 * The configuration of an embedded server: loopback, two users with random passwords, JetStream in the state folder.
 * Rule `durability` (docs/task-protocol.md).
 */
import { randomBytes } from 'node:crypto';
import type { ServerPaths } from './server-record.ts';

export interface ServerSettings {
  /** Null: any free one. */
  readonly port: number | null;
  readonly serverName: string;
  readonly credentials: Credentials;
  /** Every write is on the disk before it is acknowledged. Default: within two minutes, which survives crashes of processes only. */
  readonly syncAlways: boolean;
}

export interface Credentials {
  readonly user: string;
  readonly password: string;
  readonly systemUser: string;
  readonly systemPassword: string;
}

/** Large results go to the object store; this only leaves room for a goal or a steer of a few MB. */
const maxPayloadBytes = 8 * 1024 * 1024;
const logBytes = 10 * 1024 * 1024;
/** For a client to log in. By the server's default of 2 s, one that is held up on a busy machine is told that it was refused. */
const loginTimeoutS = 30;

/** The account of all actors. The store's folders are named after it: renaming it hides all tasks. */
export const account = 'COX';

export const newCredentials = (): Credentials => ({
  user: 'cox',
  password: secret(),
  systemUser: 'cox-system',
  systemPassword: secret(),
});

export const newServerName = (): string => `cox-${randomBytes(9).toString('base64url')}`;

const secret = (): string => randomBytes(24).toString('base64url');

/** The server's configuration language takes JSON, whose quoting leaves no surprises in paths. */
export function serverConfig(paths: ServerPaths, { port, serverName, credentials, syncAlways }: ServerSettings): string {
  return JSON.stringify(
    {
      server_name: serverName,
      listen: `127.0.0.1:${port ?? -1}`,
      ports_file_dir: paths.ports,
      max_payload: maxPayloadBytes,
      log_file: paths.log,
      logfile_size_limit: logBytes,
      logfile_max_num: 2,
      jetstream: { store_dir: paths.data, ...(syncAlways ? { sync_interval: 'always' } : {}) },
      accounts: {
        [account]: { jetstream: 'enabled', users: [{ user: credentials.user, password: credentials.password }] },
        SYS: { users: [{ user: credentials.systemUser, password: credentials.systemPassword }] },
      },
      system_account: 'SYS',
      authorization: { timeout: loginTimeoutS },
    },
    null,
    2,
  );
}
