/** Who is connected to the embedded server, as its system account tells. */
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from '@nats-io/transport-node';
import { z } from 'zod';
import { account } from './server-config.ts';
import type { ServerRecord } from './server-record.ts';

const Connz = z.object({ data: z.object({ connections: z.array(z.object({ cid: z.number(), name: z.string().default('') })) }) });

/** Who gets no answer leaves the server running; nobody is kept for longer by one that is frozen. */
const timeoutMs = 5_000;
/** More than a leaving terminal needs to know. */
const limit = 1_024;
const goodbyePollMs = 2;
const goodbyePolls = 250;

interface SystemConnection {
  /** Names of the client connections in the account of the actors, in no order; unnamed ones are empty. */
  clientNames(): Promise<string[]>;
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
    close: () => connection.close(),
  };
}

/**
 * How many clients besides those whose name ends in `tag` are connected. Waits until the server has seen the latter close, so that of two
 * terminals leaving one after the other the second is the last; not for ever, as their owner may have forgotten one.
 */
export async function othersOn(record: ServerRecord, tag: string): Promise<number> {
  const system = await openSystemConnection(record);
  try {
    for (let poll = 0; ; poll += 1) {
      const names = await system.clientNames();
      const others = names.filter((name) => !name.endsWith(tag)).length;
      if (others === names.length || poll === goodbyePolls) return others;
      await delay(goodbyePollMs);
    }
  } finally {
    await system.close();
  }
}
