/**
 * The connection that a terminal keeps open for as long as it uses the embedded server: it is what others count before they stop the
 * server, and what notices that it died.
 */
import { connect, type NatsConnection, TimeoutError, usernamePasswordAuthenticator } from '@nats-io/transport-node';
import { CoxError, messageOf } from '../../platform/errors.ts';

/** Before a server that takes connections but says nothing is called frozen. */
export const frozenAfterMs = 10_000;
const reconnectWaitMs = 50;

/** The server that the connection is to; its address and password change when it is started again. */
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
      hint: `End it with "kill ${server.pid}" and start again; its data is kept.`,
      cause: error,
    });
  }
}

export const frozen = (pid: number): CoxError =>
  new CoxError('nats-frozen', `The embedded nats-server (process ${pid}) takes connections but does not answer`, {
    hint: `End it with "kill -9 ${pid}" and start again; its data is kept.`,
  });
