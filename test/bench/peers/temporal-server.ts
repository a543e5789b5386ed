/**
 * A Temporal server for the benchmark alone, on SQLite in a temporary folder: `temporal-server` from the PATH, or built from its
 * Go module into the cache. The build takes minutes and a few gigabytes, once.
 */
import { existsSync } from 'node:fs';
import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withLock } from '../../../platform/lock.ts';
import { sizeOf } from '../../../platform/progress.ts';
import { type Surroundings, Unavailable } from './contender.ts';
import { onPath, reasonOf, run } from './packages.ts';
import { freePorts, startServer } from './server.ts';

const serverVersion = '1.32.0';
const source = `go.temporal.io/server/cmd/server@v${serverVersion}`;

/**
 * Limits that would hinder it: by default 2,000 activities at once, and a workflow task is dropped when more than 100 activities
 * end during it.
 */
const limits = {
  'limit.numPendingActivities.error': [{ value: 100_000 }],
  'history.maximumBufferedEventsBatch': [{ value: 100_000 }],
};

export interface TemporalServer {
  readonly address: string;
  readonly version: string;
}

/** @param ask Any request to that address. @throws Unavailable */
export async function temporalServer(
  surroundings: Surroundings,
  ask: (address: string) => Promise<unknown>,
): Promise<TemporalServer> {
  const { folder } = surroundings;
  const program = onPath('temporal-server') ?? (await built(surroundings));
  const ports = await freePorts(8);
  const configFile = join(folder, 'temporal.yaml');
  const limitsFile = join(folder, 'limits.yaml');
  // YAML takes JSON.
  await writeFile(limitsFile, JSON.stringify(limits));
  await writeFile(configFile, JSON.stringify(settings(folder, limitsFile, ports)));
  const address = `127.0.0.1:${ports[0]}`;
  const args = ['--config-file', configFile, '--allow-no-auth', 'start'];
  await startServer({ program, args, ready: () => ask(address) }, surroundings);
  const { stdout } = await run(program, ['--version']);
  return { address, version: `Temporal ${stdout.match(/[\d.]+/)?.[0]}` };
}

async function built({ cache, say, signal }: Surroundings): Promise<string> {
  const folder = join(cache, `temporal-server-${serverVersion}`);
  const program = join(folder, 'server');
  const go = onPath('go');
  if (!existsSync(program) && !go) throw new Unavailable('no temporal-server and no go on the PATH');
  await withLock(join(cache, 'locks', 'temporal-server'), async () => {
    if (existsSync(program) || !go) return;
    say(`building ${source} with ${go}: this takes minutes, once …`);
    const building = join(folder, 'building');
    await rm(folder, { recursive: true, force: true });
    await mkdir(building, { recursive: true });
    const folders = { GOBIN: folder, GOPATH: join(building, 'path'), GOCACHE: join(building, 'cache') };
    try {
      const env = { ...process.env, ...folders, GOFLAGS: '-modcacherw' };
      await run(go, ['install', '-ldflags=-s -w', source], { env, signal });
    } catch (error) {
      throw new Unavailable(`no temporal-server on the PATH, and it could not be built: ${reasonOf(error)}`);
    } finally {
      await rm(building, { recursive: true, force: true });
    }
    say(`built: ${sizeOf((await stat(program)).size)}`);
  });
  return program;
}

function settings(folder: string, limitsFile: string, ports: readonly number[]): object {
  const sqlite = (name: string) => ({
    sql: {
      pluginName: 'sqlite',
      databaseName: join(folder, `${name}.db`),
      connectAddr: 'localhost',
      connectProtocol: 'tcp',
      // No fsync at each commit, as in ours; the server's default is 2.
      connectAttributes: { cache: 'private', setup: 'true', journal_mode: 'wal', synchronous: '1' },
      maxConns: 1,
      maxIdleConns: 1,
    },
  });
  const services = ['frontend', 'matching', 'history', 'worker'].map((service, i) => [
    service,
    { rpc: { grpcPort: ports[2 * i], membershipPort: ports[2 * i + 1], bindOnLocalHost: true } },
  ]);
  return {
    log: { stdout: true, level: 'error' },
    persistence: {
      defaultStore: 'main',
      visibilityStore: 'visibility',
      numHistoryShards: 1,
      datastores: { main: sqlite('main'), visibility: sqlite('visibility') },
    },
    global: { membership: { maxJoinDuration: '30s', broadcastAddress: '127.0.0.1' } },
    services: Object.fromEntries(services),
    clusterMetadata: {
      enableGlobalNamespace: false,
      failoverVersionIncrement: 10,
      masterClusterName: 'active',
      currentClusterName: 'active',
      clusterInformation: {
        active: { enabled: true, initialFailoverVersion: 1, rpcName: 'frontend', rpcAddress: `127.0.0.1:${ports[0]}` },
      },
    },
    dcRedirectionPolicy: { policy: 'noop' },
    dynamicConfigClient: { filepath: limitsFile, pollInterval: '10s' },
  };
}
