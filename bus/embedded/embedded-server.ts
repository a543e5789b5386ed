/**
 * One nats-server on this machine, which all terminals of a user share and none owns. Invariants:
 * - A process holds the server lock while it starts, replaces or stops the server. So at most one server uses the store.
 * - Each terminal keeps one connection open, its presence. It opens the presence before it releases the lock, so that no other
 *   terminal stops the server in between. Through its presence a terminal notices that the server died.
 * - A server that died is restarted with its data, its credentials and, if it is free, its port. Clients only need to reconnect.
 * - The last terminal to leave stops the server. The presence of a killed terminal ends with it; if no terminal is left, the
 *   server runs on, and the next terminal joins it.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Progress } from '../../platform/asset.ts';
import { messageOf } from '../../platform/errors.ts';
import type { Folders } from '../../platform/folders.ts';
import { withLock } from '../../platform/lock.ts';
import type { Log } from '../../platform/log.ts';
import { isAlive } from '../../platform/process-identity.ts';
import { withTimeLimit } from '../../platform/time-limit.ts';
import { launch, terminate } from './launch.ts';
import { obtainServerBinary } from './obtain-binary.ts';
import { sweepNowAndThen } from './page-users.ts';
import { frozen, frozenAfterMs, openPresence } from './presence.ts';
import { probe } from './probe.ts';
import type { ServerBinary } from './server-binary.ts';
import { othersOn } from './server-clients.ts';
import { newCredentials } from './server-config.ts';
import {
  type ProcessNote,
  readProcessNote,
  readRecord,
  removeRecord,
  type ServerPaths,
  type ServerRecord,
  serverPaths,
} from './server-record.ts';

export interface EmbeddedOptions {
  readonly folders: Folders;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** See `ServerSettings`. A server that already runs keeps its own setting. */
  readonly syncAlways?: boolean | undefined;
}

export interface EmbeddedServer {
  readonly url: string;
  readonly user: string;
  readonly pass: string;
  readonly serverName: string;
  readonly pid: number;
  readonly version: string;
  readonly binary: string;
  /** Suffix of the name of every connection of this terminal, by which it recognises its own connections when it leaves. */
  readonly tag: string;
  /** Resolves when the server answers. Restarts a dead server; the fields above may then change. Does nothing after `stop()`. */
  ensure(): Promise<void>;
  /** Stops this server and starts it again with its data. Does nothing if another terminal has already done so. */
  renew(): Promise<void>;
  /** Leaves the server; the last terminal stops it. Close the terminal's other connections first. Never rejects. */
  stop(): Promise<void>;
}

/** Longest time in ms to wait for the lock when a terminal leaves. */
const leaveTimeoutMs = 20_000;
const firstRetryMs = 100;
const longestRetryMs = 10_000;

/**
 * Joins the running server of this user, or starts one. Downloads or builds a binary first if none is found.
 * @throws CoxError `nats-server-missing`, `nats-start-failed`, `nats-frozen`, `nats-unreachable`, `nats-too-old`, `no-space`,
 * `read-only`, `storage-failed`; the reason of `signal`.
 */
export async function openEmbeddedServer(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const server = new Shared(options);
  await server.open(true);
  return server;
}

/** Joins the running server of this user. Starts and downloads nothing. @returns null if no server is running. */
export async function existingServer(options: EmbeddedOptions): Promise<EmbeddedServer | null> {
  const paths = serverPaths(options.folders);
  // Read before the lock is taken, because the lock writes a file: where no server ever ran, none is written.
  if (readRecord(paths).kind !== 'record') return null;
  const server = new Shared(options);
  return (await server.open(false)) ? server : null;
}

class Shared implements EmbeddedServer {
  readonly tag = `${process.pid}.${randomBytes(6).toString('base64url')}`;
  readonly #options: EmbeddedOptions;
  readonly #log: Log;
  readonly #paths: ServerPaths;
  /** Aborted when this terminal leaves. */
  readonly #leaving = new AbortController();
  #record: ServerRecord | null = null;
  #presence: NatsConnection | null = null;
  #ensuring: Promise<void> | null = null;
  #mending: Promise<void> | null = null;
  #stopping: Promise<void> | null = null;

  constructor(options: EmbeddedOptions) {
    this.#options = options;
    this.#log = options.log.child({ part: 'embedded server' });
    this.#paths = serverPaths(options.folders);
  }

  get #known(): ServerRecord {
    if (!this.#record) throw new Error('the embedded server is not open');
    return this.#record;
  }

  get url(): string {
    return this.#known.url;
  }
  get user(): string {
    return this.#known.user;
  }
  get pass(): string {
    return this.#known.password;
  }
  get serverName(): string {
    return this.#known.serverName;
  }
  get pid(): number {
    return this.#known.pid;
  }
  get version(): string {
    return this.#known.version;
  }
  get binary(): string {
    return this.#known.binary;
  }

  /** @returns false if no server is running and `mayLaunch` is false. */
  async open(mayLaunch: boolean): Promise<boolean> {
    const { signal } = this.#options;
    const opened = await this.#joinOrLaunch(mayLaunch, signal ?? this.#leaving.signal, async (record) => {
      this.#record = record;
      this.#presence = await openPresence(this);
    });
    if (opened) void this.#watch();
    if (opened) sweepNowAndThen(this.#paths, this.#leaving.signal, this.#log);
    return opened;
  }

  ensure(): Promise<void> {
    if (this.#leaving.signal.aborted) return Promise.resolve();
    this.#ensuring ??= this.#mend().finally(() => {
      this.#ensuring = null;
    });
    return this.#ensuring;
  }

  async renew(): Promise<void> {
    const { pid, pidStart } = this.#known;
    const end = async () => {
      const read = readRecord(this.#paths);
      if (read.kind === 'record' && read.record.pid === pid) await terminate({ pid, start: pidStart });
    };
    await withLock(this.#paths.lock, end, { signal: this.#leaving.signal });
    await this.ensure();
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#leave();
    return this.#stopping;
  }

  /**
   * Calls `onServer` under the lock, with a server that answers. If that server dies meanwhile, calls it again with the next one.
   * A binary is fetched without the lock, so that other terminals do not wait for the download.
   * @returns false if no server is running and `mayLaunch` is false.
   */
  async #joinOrLaunch(
    mayLaunch: boolean,
    signal: AbortSignal,
    onServer: (record: ServerRecord) => Promise<void>,
  ): Promise<boolean> {
    let binary: ServerBinary | null = null;
    for (;;) {
      const step = async (): Promise<'joined' | 'none' | 'binary-needed' | 'died'> => {
        let server = await this.#running();
        if (!server && !mayLaunch) return 'none';
        if (!server && !binary) return 'binary-needed';
        server ??= await this.#launch(binary!, signal);
        try {
          await onServer(server);
          return 'joined';
        } catch (error) {
          if (isAlive(server.pid, server.pidStart)) throw error;
          this.#log.warn({ server: server.pid, err: error }, 'the embedded server died while it was joined');
          return 'died';
        }
      };
      const outcome = await withLock(this.#paths.lock, step, { signal });
      if (outcome === 'joined' || outcome === 'none') return outcome === 'joined';
      if (outcome === 'binary-needed') binary = await obtainServerBinary({ ...this.#options, signal });
    }
  }

  /**
   * Called under the lock. If the recorded server does not answer, ends the server process that may still use the store.
   * @returns the recorded server, or null if it does not answer.
   * @throws CoxError `nats-frozen`.
   */
  async #running(): Promise<ServerRecord | null> {
    const read = readRecord(this.#paths);
    if (read.kind === 'record') {
      const { record } = read;
      const alive = isAlive(record.pid, record.pidStart);
      const answer = alive ? await probe(record.port, frozenAfterMs) : null;
      if (answer?.kind === 'nats' && answer.serverName === record.serverName) return record;
      if (answer?.kind === 'silent') throw frozen(record.pid);
      this.#log.warn({ server: record.pid, alive }, 'the recorded embedded server is gone');
    } else if (read.kind === 'damaged')
      this.#log.warn({ file: this.#paths.record }, 'the record of the embedded server is damaged');
    const { record } = read.kind === 'record' ? read : { record: null };
    await this.#endStray(readProcessNote(this.#paths) ?? (record && { pid: record.pid, start: record.pidStart }));
    return null;
  }

  /**
   * Ends a server whose terminal was killed while it started, or that is shutting down. Does nothing if the system cannot tell it
   * from an unrelated process with the same pid.
   */
  async #endStray(note: ProcessNote | null): Promise<void> {
    if (note?.start == null || !isAlive(note.pid, note.start)) return;
    this.#log.warn({ server: note.pid }, 'ending an embedded server that no terminal can use');
    await terminate(note);
  }

  /** Called under the lock. The new server gets the credentials and the port of the server that died. */
  #launch(binary: ServerBinary, signal: AbortSignal): Promise<ServerRecord> {
    const read = readRecord(this.#paths);
    const before = read.kind === 'record' ? read.record : this.#record;
    const { user, password, systemUser, systemPassword } = before ?? newCredentials();
    return launch({
      paths: this.#paths,
      binary,
      credentials: { user, password, systemUser, systemPassword },
      port: before?.port ?? null,
      websocketPort: before?.websocketPort ?? null,
      syncAlways: this.#options.syncAlways ?? false,
      log: this.#log,
      signal,
    });
  }

  async #mend(): Promise<void> {
    await this.#joinOrLaunch(true, this.#leaving.signal, async (record) => {
      const moved = record.url !== this.#record?.url;
      this.#record = record;
      if (moved) this.#presence?.setServers([record.url]);
    });
  }

  /** Restarts the server whenever it dies, until this terminal leaves. Other terminals do the same; the lock orders them. */
  async #watch(): Promise<void> {
    const presence = this.#presence;
    if (!presence) return;
    for await (const status of presence.status()) {
      if (this.#leaving.signal.aborted) continue;
      if (status.type === 'disconnect') this.#log.warn({ server: status.server }, 'lost the embedded server');
      // A server that ends before the presence has reconnected to it is not lost a second time.
      else if (status.type !== 'reconnecting') continue;
      this.#mending ??= this.#mendUntilDone().finally(() => {
        this.#mending = null;
      });
    }
  }

  async #mendUntilDone(): Promise<void> {
    for (let retryMs = firstRetryMs; !this.#leaving.signal.aborted; retryMs = Math.min(retryMs * 2, longestRetryMs)) {
      try {
        await this.ensure();
        return;
      } catch (error) {
        if (this.#leaving.signal.aborted) return;
        this.#log.error({ err: error, retryMs }, 'could not restart the embedded server');
      }
      await delay(retryMs, undefined, { signal: this.#leaving.signal, ref: false }).catch(() => {});
    }
  }

  async #leave(): Promise<void> {
    this.#leaving.abort(new Error('leaving'));
    await this.#ensuring?.catch(() => {});
    try {
      const leave = (signal: AbortSignal) => withLock(this.#paths.lock, () => this.#leaveLocked(), { signal });
      await withTimeLimit(leaveTimeoutMs, leave);
    } catch (error) {
      this.#log.warn({ err: error }, `left the embedded server running: ${messageOf(error)}`);
    } finally {
      await this.#presence?.close();
    }
  }

  async #leaveLocked(): Promise<void> {
    await this.#presence?.close();
    const read = readRecord(this.#paths);
    // The record of a dead server stays, because another terminal may be about to restart it from the record.
    if (read.kind !== 'record' || !isAlive(read.record.pid, read.record.pidStart)) return;
    if ((await othersOn(read.record, this.tag)) > 0) return;
    await terminate({ pid: read.record.pid, start: read.record.pidStart });
    removeRecord(this.#paths);
    this.#log.info({ server: read.record.pid }, 'the last terminal left: embedded nats-server stopped');
  }
}
