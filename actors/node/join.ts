/**
 * Joins a crew: connects to the server that NATS_URL names, or to the embedded one of this machine, and opens the streams of a
 * namespace. With the file of a member it joins a crew with roles (docs/operations.md).
 */

import { randomBytes } from 'node:crypto';
import { busAddress } from '../../bus/address.ts';
import type { Bus } from '../../bus/bus.ts';
import { connectBus } from '../../bus/connection.ts';
import { Crew } from '../../bus/crew.ts';
import { type EmbeddedServer, existingServer, openEmbeddedServer } from '../../bus/embedded/embedded-server.ts';
import { revive } from '../../bus/embedded/revive.ts';
import { openBus } from '../../bus/open-bus.ts';
import { RemoteCrew } from '../../bus/remote-crew.ts';
import { mayHost } from '../../bus/team/chores.ts';
import { findMemberFile } from '../../bus/team/crew-file.ts';
import { addressOf } from '../../bus/team/login.ts';
import { inboxOf } from '../../bus/team/roles.ts';
import { Team } from '../../bus/team/team.ts';
import type { Progress } from '../../platform/asset.ts';
import { CoxError } from '../../platform/errors.ts';
import type { Folders } from '../../platform/folders.ts';
import type { Log } from '../../platform/log.ts';

export interface JoinOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  readonly folders: Folders;
  /** Whether to start an embedded server if none runs; false: the lack of a server is an error. */
  readonly start: boolean;
  /** Called while a nats-server is downloaded. */
  readonly onProgress?: (progress: Progress) => void;
  readonly signal: AbortSignal;
  /** First token of every subject. Default: COX_NAMESPACE, else `cox`. */
  readonly namespace?: string | undefined;
  /**
   * Shown in records and by the server's tools. Must be unique, because it identifies a node's writes. Default:
   * `cox-<pid>-<random>`.
   */
  readonly name?: string;
}

export interface CrewSession {
  readonly bus: Bus;
  readonly crew: Crew;
  readonly folders: Folders;
  readonly log: Log;
  readonly env: NodeJS.ProcessEnv;
  readonly name: string;
  readonly server: { readonly embedded: boolean; readonly url: string };
  /** Changes of the connection. The iteration ends when the connection is closed. */
  connection(): AsyncIterable<'disconnected' | 'reconnected'>;
  /**
   * Restarts an embedded server that no longer acknowledges writes, once its disk has free space. Null if the server is not
   * embedded.
   */
  readonly revive: (() => Promise<void>) | null;
  /** Leaves the crew. The last process that leaves stops the embedded server. Idempotent. */
  close(): Promise<void>;
  /** Leaves at once: work under way here is cut off as by a crash, and other nodes take it over. Idempotent. */
  abandon(): Promise<void>;
}

/**
 * @throws CoxError `bad-crew-file`; `no-crew` if no server runs and `start` is false; also any error of the server, the network or
 * the disk.
 */
export async function joinCrew(options: JoinOptions): Promise<CrewSession> {
  const { env, log, signal } = options;
  const name = options.name ?? `cox-${process.pid}-${randomBytes(3).toString('hex')}`;
  const member = findMemberFile(env, options.folders.config);
  const team = member ? new Team(member) : undefined;
  const address = member ? addressOf(member, env) : busAddress(env);
  const embedded = address ? null : await embeddedServer(options);
  try {
    const inboxPrefix = team && inboxOf(team.name);
    const nc = await connectBus({ to: address ?? embedded!, name, log, signal, ...(inboxPrefix && { inboxPrefix }) });
    try {
      const bus = await openBus(nc, { namespace: options.namespace ?? env.COX_NAMESPACE, log, team, env });
      return joined({ ...options, name }, bus, embedded);
    } catch (cause) {
      await nc.close();
      throw cause;
    }
  } catch (cause) {
    await embedded?.stop();
    throw cause;
  }
}

async function embeddedServer({ start, ...options }: JoinOptions): Promise<EmbeddedServer> {
  const server = start ? await openEmbeddedServer(options) : await existingServer(options);
  if (server) return server;
  throw new CoxError('no-crew', 'No crew is running on this machine', {
    hint: 'Start one with `cox` or `cox up`, or name a server in NATS_URL.',
  });
}

function joined(
  { folders, log, env, name }: JoinOptions & { name: string },
  bus: Bus,
  embedded: EmbeddedServer | null,
): CrewSession {
  const { nc } = bus;
  let closing: Promise<void> | null = null;
  const close = async () => {
    await nc.drain().catch(() => nc.close());
    await embedded?.stop();
  };
  return {
    bus,
    crew: mayHost(bus) ? new Crew(bus, { name }) : new RemoteCrew(bus, { name }),
    folders,
    log,
    env,
    name,
    server: { embedded: embedded !== null, url: nc.getServer() },
    async *connection() {
      for await (const { type } of nc.status()) {
        if (type === 'disconnect') yield 'disconnected';
        if (type === 'reconnect') yield 'reconnected';
      }
    },
    revive: embedded && (() => revive(embedded, folders.state, log)),
    close: () => {
      closing ??= close();
      return closing;
    },
    abandon: async () => {
      // This also ends a close() that waits for an unreachable server.
      await nc.close();
      closing ??= embedded?.stop() ?? Promise.resolve();
      await closing;
    },
  };
}
