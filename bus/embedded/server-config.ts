/**
 * The configuration of an embedded server: it listens on loopback, for clients and for the WebSockets of consoles, has two users
 * with random passwords and those of the pages of consoles (page-users.ts), and keeps JetStream in the state folder.
 * Rule `durability` (docs/task-protocol.md).
 */
import { randomBytes } from 'node:crypto';
import type { PageUser } from './page-users-file.ts';
import type { ServerPaths } from './server-record.ts';

export interface ServerSettings {
  /** Null: any free port. */
  readonly port: number | null;
  /** Null: any free port. */
  readonly websocketPort: number | null;
  readonly serverName: string;
  readonly credentials: Credentials;
  readonly pageUsers: readonly PageUser[];
  /**
   * Whether the server syncs every write to disk before it acknowledges it. Otherwise it syncs every two minutes: acknowledged
   * writes survive a crash of the server, but not of the machine.
   */
  readonly syncAlways: boolean;
}

export interface Credentials {
  readonly user: string;
  readonly password: string;
  readonly systemUser: string;
  readonly systemPassword: string;
}

/** Above the server's default of 1 MB, so that large task specs and state records fit into one message. */
const maxPayloadBytes = 8 * 1024 * 1024;
const logBytes = 10 * 1024 * 1024;
/**
 * Longest time in seconds for a client to log in. With the server's default of 2 s, a client on a busy machine would be refused.
 */
const loginTimeoutS = 30;

/**
 * The account of all clients but the system user. The server names folders of its store after it, so renaming it hides all tasks.
 */
export const account = 'COX';

export const newCredentials = (): Credentials => ({
  user: 'cox',
  password: secret(),
  systemUser: 'cox-system',
  systemPassword: secret(),
});

export const newServerName = (): string => `cox-${randomBytes(9).toString('base64url')}`;

const secret = (): string => randomBytes(24).toString('base64url');

/** The server also accepts JSON as configuration. JSON quotes every path correctly. */
export function serverConfig(
  paths: ServerPaths,
  { port, websocketPort, serverName, credentials, pageUsers, syncAlways }: ServerSettings,
): string {
  return JSON.stringify(
    {
      server_name: serverName,
      listen: `127.0.0.1:${port ?? -1}`,
      // The origin of a console has a port of its own, which is not known here: only the credentials of a page let it in.
      websocket: { listen: `127.0.0.1:${websocketPort ?? -1}`, no_tls: true },
      ports_file_dir: paths.ports,
      max_payload: maxPayloadBytes,
      log_file: paths.log,
      logfile_size_limit: logBytes,
      logfile_max_num: 2,
      jetstream: { store_dir: paths.data, ...(syncAlways ? { sync_interval: 'always' } : {}) },
      accounts: {
        [account]: { jetstream: 'enabled', users: usersOf(credentials, pageUsers) },
        SYS: { users: [{ user: credentials.systemUser, password: credentials.systemPassword }] },
      },
      system_account: 'SYS',
      authorization: { timeout: loginTimeoutS },
    },
    null,
    2,
  );
}

/** The users of the account of all clients. */
export const usersOf = ({ user, password }: Pick<Credentials, 'user' | 'password'>, pageUsers: readonly PageUser[]) => [
  { user, password },
  ...pageUsers.map((page) => ({
    user: page.name,
    password: page.password,
    permissions: page.permissions,
    allowed_connection_types: ['WEBSOCKET'],
  })),
];
