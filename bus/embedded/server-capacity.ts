/** Reads how full the embedded server is, through its system account. It does not join the server, so reading changes nothing. */
import { connect } from '@nats-io/transport-node';
import { z } from 'zod';
import { type Fullness, fullnessOf, isNearlyFull } from '../capacity/stream-limits.ts';
import { account } from './server-config.ts';
import type { ServerRecord } from './server-record.ts';

const Stream = z.object({
  name: z.string(),
  state: z.object({ bytes: z.number() }),
  config: z.object({ max_bytes: z.number().default(-1) }),
});
const Jsz = z.object({
  data: z.object({
    storage: z.number(),
    config: z.object({ max_storage: z.number() }),
    account_details: z.array(z.object({ stream_detail: z.array(Stream).default([]) })).default([]),
  }),
});

const timeoutMs = 5_000;

/**
 * @returns the limits of the server and its streams that are reached or nearly reached.
 * @throws every error of the connection.
 */
export async function fullInServer(record: ServerRecord): Promise<Fullness[]> {
  const { url: servers, systemUser: user, systemPassword: pass } = record;
  const connection = await connect({ servers, user, pass, name: 'cox system', reconnect: false, timeout: timeoutMs });
  try {
    const query = JSON.stringify({ account, accounts: true, streams: true, config: true });
    const reply = await connection.request('$SYS.REQ.SERVER.PING.JSZ', query, { timeout: timeoutMs });
    const { storage, config, account_details } = Jsz.parse(reply.json()).data;
    const streams = account_details.flatMap(({ stream_detail }) => stream_detail);
    const all = [
      fullnessOf('server', storage, config.max_storage),
      ...streams.map((stream) => fullnessOf(stream.name, stream.state.bytes, stream.config.max_bytes)),
    ];
    return all.filter(isNearlyFull);
  } finally {
    await connection.close();
  }
}
