/** A PostgreSQL for the benchmark alone, in a temporary folder on a Unix socket, if there is one on the PATH. */
import { chmod, chown, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Surroundings, Unavailable } from './contender.ts';
import { onPath, run } from './packages.ts';
import { startServer } from './server.ts';

export interface Postgres {
  /** Connection options for a client. */
  readonly address: PostgresAddress;
  readonly version: string;
}
export interface PostgresAddress {
  /** The folder of its socket. */
  readonly host: string;
  readonly user: string;
  readonly database: string;
}

/** @param ask Any query by the client that will be used. @throws Unavailable */
export async function postgres(
  surroundings: Surroundings,
  ask: (address: PostgresAddress) => Promise<unknown>,
): Promise<Postgres> {
  const [program, initdb] = [onPath('postgres'), onPath('initdb')];
  if (!program || !initdb) throw new Unavailable('no postgres and initdb on the PATH');
  const data = join(surroundings.folder, 'data');
  await mkdir(data, { mode: 0o700 });
  const identity = await unprivileged();
  if (identity) {
    // The server's user needs access to the data folder through this one, which belongs to root.
    await chmod(surroundings.folder, 0o711);
    await chown(data, identity.uid, identity.gid);
  }
  const options = { cwd: data, ...identity };
  const address = { host: data, user: 'bench', database: 'postgres' };
  await run(initdb, ['-D', data, '-U', address.user, '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'], {
    ...options,
    signal: surroundings.signal,
  });
  // `synchronous_commit = off` would keep commits inside the server for a while, so a killed server would lose them.
  const args = ['-D', data, '-c', 'fsync=off', '-c', 'listen_addresses=', '-c', `unix_socket_directories=${data}`];
  await startServer({ program, args, options, ready: () => ask(address) }, surroundings);
  const { stdout } = await run(program, ['--version']);
  return { address, version: `PostgreSQL ${stdout.match(/[\d.]+/)?.[0]}` };
}

/** A user and group for PostgreSQL, which refuses to run as root. @returns null when this process is not root. */
async function unprivileged(): Promise<{ uid: number; gid: number } | null> {
  if (process.getuid?.() !== 0) return null;
  const id = async (flag: string) => Number((await run('id', [flag, 'nobody'])).stdout);
  return { uid: await id('-u'), gid: await id('-g') };
}
