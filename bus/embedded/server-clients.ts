/** Reads which clients are connected to the embedded server, and has it load its configuration again, by its system account. */
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from '@nats-io/transport-node';
import { z } from 'zod';
import { CoxError } from '../../platform/errors.ts';
import { account } from './server-config.ts';
import type { ServerRecord } from './server-record.ts';

const Reloaded = z.object({ error: z.object({ description: z.string().default('it gave no reason') }).optional() });
const Connz = z.object({ data: z.object({ connections: z.array(z.object({ cid: z.number(), name: z.string().default('') })) }) });

/** Longest time in ms to wait for an answer. If none comes, the terminal leaves the server running. */
const timeoutMs = 5_000;
/** Largest number of connections in an answer. */
const limit = 1_024;
const goodbyePollMs = 2;
const goodbyePolls = 250;

interface SystemConnection {
  /** Names of the client connections in the account `COX`, in no order. The name of an unnamed connection is empty. */
  clientNames(): Promise<string[]>;
  /** Resolves when the configuration is in force. */
  reload(): Promise<void>;
  close(): Promise<void>;
}

async function openSystemConnection(record: ServerRecord): Promise<SystemConnection> {
  const connection = await connect({
    servers: record.url,
    user: record.systemUser,
    pass: record.systemPassword,
    name: 'cox system',
    reconnect: false,
    timeout: timeoutMs,
  });
  return {
    clientNames: async () => {
      const query = JSON.stringify({ acc: account, limit });
      const reply = await connection.request('$SYS.REQ.SERVER.PING.CONNZ', query, { timeout: timeoutMs });
      return Connz.parse(reply.json()).data.connections.map(({ name }) => name);
    },
    reload: async () => {
      const reply = await connection.request(`$SYS.REQ.SERVER.${connection.info!.server_id}.RELOAD`, '', { timeout: timeoutMs });
      const { error } = Reloaded.parse(reply.json());
      if (!error) return;
      throw new CoxError('nats-reload-failed', `The embedded server did not take its configuration: ${error.description}`, {
        hint: 'Its log is in the state folder (cox doctor names it).',
      });
    },
    close: () => connection.close(),
  };
}

/** Pages of consoles give their connections names that begin with this. A page alone does not keep the server up. */
export const pageConnection = 'cox page';

/** @throws CoxError `nats-reload-failed`, and every error of the system connection. */
export async function reloadServer(record: ServerRecord): Promise<void> {
  const system = await openSystemConnection(record);
  try {
    await system.reload();
  } finally {
    await system.close();
  }
}

/**
 * Counts the connected clients whose name does not end with `tag`, without the pages of consoles. First waits until the server has
 * closed the connections with this tag. So, if two terminals leave one after the other, the second one counts no others. The wait
 * is limited, because the owner may have left a connection open.
 * @throws every error of the system connection.
 */
export async function othersOn(record: ServerRecord, tag: string): Promise<number> {
  const system = await openSystemConnection(record);
  try {
    for (let poll = 0; ; poll += 1) {
      const names = (await system.clientNames()).filter((name) => !name.startsWith(pageConnection));
      const others = names.filter((name) => !name.endsWith(tag)).length;
      if (others === names.length || poll === goodbyePolls) return others;
      await delay(goodbyePollMs);
    }
  } finally {
    await system.close();
  }
}
