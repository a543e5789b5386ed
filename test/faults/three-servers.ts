/** The cluster of docs/operations/three-servers on loopback: that configuration file, with hosts, ports and folders replaced. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { nkeys } from '@nats-io/nats-core';
import { pino } from 'pino';
import { obtainServerBinary } from '../../bus/embedded/obtain-binary.ts';
import { foldersOf } from '../../platform/folders.ts';
import { loopbackCertificate } from './certificate.ts';

const written = readFileSync(join(import.meta.dirname, '../../docs/operations/three-servers/nats-server.conf'), 'utf8');
const names = ['nats-a', 'nats-b', 'nats-c'] as const;
export type ServerName = (typeof names)[number];

export class ThreeServers {
  /** Environment of a node that connects to the cluster: NATS_URL, NATS_NKEY, NATS_CA. */
  readonly env: Readonly<Record<string, string>>;
  readonly #folder: string;
  readonly #binary: string;
  readonly #publicKey: string;
  readonly #running = new Map<ServerName, ChildProcess>();

  private constructor(folder: string, binary: string, publicKey: string, env: Record<string, string>) {
    this.#folder = folder;
    this.#binary = binary;
    this.#publicKey = publicKey;
    this.env = env;
  }

  static async start(): Promise<ThreeServers> {
    const folder = mkdtempSync(join(tmpdir(), 'cox-cluster-'));
    const log = pino({ level: 'silent' });
    const { path } = await obtainServerBinary({ folders: foldersOf(process.env), env: process.env, log });
    const { certificate, key } = loopbackCertificate();
    const user = nkeys.createUser();
    const files = {
      'server.pem': certificate,
      'ca.pem': certificate,
      'server.key': key,
      'cox.nk': new TextDecoder().decode(user.getSeed()),
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o600 });
    const ports = await freePorts(6);
    const [clients, routes] = [ports.slice(0, 3), ports.slice(3)];
    for (const [i, name] of names.entries()) {
      mkdirSync(join(folder, name));
      let text = written
        .replace('0.0.0.0:4222', `127.0.0.1:${clients[i]}`)
        .replace('0.0.0.0:6222', `127.0.0.1:${routes[i]}`)
        .replaceAll('/etc/nats', folder)
        .replaceAll('/var/lib/nats', join(folder, name));
      for (const [k, other] of names.entries()) text = text.replace(`${other}.example.org:6222`, `127.0.0.1:${routes[k]}`);
      writeFileSync(join(folder, `${name}.conf`), text);
    }
    const cluster = new ThreeServers(folder, path, user.getPublicKey(), {
      NATS_URL: clients.map((port) => `tls://127.0.0.1:${port}`).join(','),
      NATS_NKEY: join(folder, 'cox.nk'),
      NATS_CA: join(folder, 'ca.pem'),
    });
    try {
      await Promise.all(names.map((name) => cluster.start(name)));
      return cluster;
    } catch (cause) {
      await cluster.stop();
      throw cause;
    }
  }

  /** Resolves when the server takes part: it has found the others, and all agree on a leader. */
  async start(name: ServerName): Promise<void> {
    const server = spawn(this.#binary, ['--config', join(this.#folder, `${name}.conf`)], {
      env: { NATS_NAME: name, COX_NKEY: this.#publicKey },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#running.set(name, server);
    const said: string[] = [];
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    createInterface({ input: server.stderr })
      .on('line', (line) => {
        said.push(line);
        // The lines are read on, since a full pipe would stop the server.
        if (
          /JetStream cluster new metadata leader|JetStream cluster no metadata leader|Self is new JetStream cluster metadata leader/.test(
            line,
          )
        )
          resolve();
      })
      .on('close', () => reject(new Error(`${name} ended:\n${said.slice(-10).join('\n')}`)));
    await promise;
  }

  /** Kills the server, as `kill -9` does. */
  async kill(name: ServerName): Promise<void> {
    const server = this.#running.get(name);
    if (!server) throw new Error(`${name} does not run`);
    this.#running.delete(name);
    const gone = once(server, 'exit');
    // False when the server has ended by itself.
    if (server.kill('SIGKILL')) await gone;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((name) => this.kill(name)));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Below the ports that the system assigns by itself, so a free port is not taken by the next client or listener. */
const [lowest, highest] = [10_000, 30_000];

async function freePorts(count: number): Promise<number[]> {
  const free = new Set<number>();
  while (free.size < count) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest));
    if (await isFree(port)) free.add(port);
  }
  return [...free];
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
