/**
 * The presence of a terminal: a connection that stays open while the terminal uses the embedded server. Other terminals count
 * these connections before they stop the server, and a terminal notices the death of the server when its presence is
 * disconnected.
 */
import { connect, type NatsConnection, TimeoutError, usernamePasswordAuthenticator } from '@nats-io/transport-node';
import { CoxError, messageOf } from '../../platform/errors.ts';

/** A server that accepts a connection but sends nothing for this long (ms) is taken to be frozen. */
export const frozenAfterMs = 10_000;
const reconnectWaitMs = 50;

/** The server to connect to. Its address and password may change when it is restarted. */
interface PresentAt {
  readonly url: string;
  readonly tag: string;
  readonly pid: number;
  readonly user: string;
  readonly pass: string;
}

/** @throws CoxError `nats-frozen`, `nats-unreachable`. */
export async function openPresence(server: PresentAt): Promise<NatsConnection> {
  try {
    return await connect({
      servers: server.url,
      name: `cox presence ${server.tag}`,
      authenticator: usernamePasswordAuthenticator(
        () => server.user,
        () => server.pass,
      ),
      timeout: frozenAfterMs,
      ignoreAuthErrorAbort: true,
      maxReconnectAttempts: -1,
      reconnectTimeWait: reconnectWaitMs,
      reconnectJitter: reconnectWaitMs,
    });
  } catch (error) {
    if (error instanceof TimeoutError) throw frozen(server.pid);
    throw new CoxError('nats-unreachable', `The embedded nats-server ${server.url} cannot be used: ${messageOf(error)}`, {
      hint: `End it with "kill ${server.pid}" and start cox again; its data is kept.`,
      cause: error,
    });
  }
}

export const frozen = (pid: number): CoxError =>
  new CoxError('nats-frozen', `The embedded nats-server (process ${pid}) accepts connections but does not answer`, {
    hint: `End it with "kill -9 ${pid}" and start cox again; its data is kept.`,
  });
