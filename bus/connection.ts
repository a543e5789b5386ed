/** Connects to the bus: to the server an operator named, or to the embedded one, which is brought back when it dies. */
import { AuthorizationError, type ConnectionOptions, wsconnect } from '@nats-io/nats-core';
import { connect, type NatsConnection, usernamePasswordAuthenticator } from '@nats-io/transport-node';
import { CoxError, messageOf } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import type { BusAddress } from './address.ts';
import type { EmbeddedServer } from './embedded/embedded-server.ts';
import { isNewEnough, tooOld, versionIn } from './server-version.ts';

export interface ConnectOptions {
  readonly to: BusAddress | EmbeddedServer;
  /** What the connection is for, shown by the server's tools: `worker`. */
  readonly name: string;
  readonly log: Log;
  /** Where replies to this connection go; a role with its own permissions has its own. Default `_INBOX.<name>`. */
  readonly inboxPrefix?: string;
  /** Gives up connecting. A connection that is made is closed by its owner. */
  readonly signal?: AbortSignal | undefined;
}

const connectTimeoutMs = 10_000;
const reconnectWaitMs = 250;
const reconnectJitterMs = 100;
/**
 * A link that died without a word (a cable, a router that forgot it) is noticed when two pings are unanswered as the third is due: after 9 s at
 * most. That is within the lease of 10 s: a worker is back, or knows that it is alone, about when its tickets go to others. By the
 * client's defaults it would take six minutes, in which a node holds tasks, takes steers for granted, and commits nothing.
 */
const pingIntervalMs = 3_000;
const maxPingsOut = 2;

const isEmbedded = (to: ConnectOptions['to']): to is EmbeddedServer => 'ensure' in to;

/**
 * The connection reconnects for ever; subscriptions come back by themselves, calls made meanwhile wait or time out.
 * @throws CoxError `nats-unreachable`, `nats-denied`, `nats-too-old`; the signal's reason.
 */
export async function connectBus({ to, name, log, inboxPrefix, signal }: ConnectOptions): Promise<NatsConnection> {
  const options: ConnectionOptions = {
    ...(isEmbedded(to) ? embeddedLogin(to) : addressLogin(to)),
    name: isEmbedded(to) ? `cox ${name} ${to.tag}` : `cox ${name}`,
    inboxPrefix: inboxPrefix ?? `_INBOX.${name.replace(/[^A-Za-z0-9_-]+/g, '_')}`,
    timeout: connectTimeoutMs,
    maxReconnectAttempts: -1,
    // A stack kept for each request in case it fails costs more than the request; what failed is named by those who ask.
    noAsyncTraces: true,
    reconnectTimeWait: isEmbedded(to) ? reconnectJitterMs : reconnectWaitMs,
    reconnectJitter: reconnectJitterMs,
    pingInterval: pingIntervalMs,
    maxPingOut: maxPingsOut,
    // Else the second login that fails in the life of a connection closes it for good, though both only came too late.
    ignoreAuthErrorAbort: true,
  };
  const connection = await dial(to, options, signal);
  const version = versionIn(connection.info?.version ?? '') ?? '0.0.0';
  if (!isNewEnough(version)) {
    await connection.close();
    throw tooOld(version, shownAs(to));
  }
  void follow(connection, to, log.child({ part: 'bus', connection: name }));
  return connection;
}

/** So often the server may find that we log in too slowly. */
const maxLateLogins = 5;
/** It waits for 2 s by default, and says of a machine too busy for that what it says of a wrong password. */
const isTooLate = (error: unknown): boolean => error instanceof AuthorizationError && /timeout/i.test(error.message);

/** An embedded server that died meanwhile is brought back and dialled again. */
async function dial(to: ConnectOptions['to'], options: ConnectionOptions, signal?: AbortSignal): Promise<NatsConnection> {
  for (let late = 0; ; ) {
    signal?.throwIfAborted();
    const dialled = isEmbedded(to) ? to.pid : null;
    const dialing = !isEmbedded(to) && to.transport === 'websocket' ? wsconnect(options) : connect(options);
    try {
      return await abortable(dialing, signal);
    } catch (error) {
      if (signal?.aborted) throw error;
      if (isTooLate(error) && ++late < maxLateLogins) continue;
      if (isEmbedded(to)) await to.ensure();
      if (isEmbedded(to) && to.pid !== dialled) options = { ...options, servers: to.url };
      else throw refusal(error, shownAs(to), isEmbedded(to) ? 'the embedded server' : to.credentialsFrom);
    }
  }
}

const shownAs = (to: ConnectOptions['to']): string => (isEmbedded(to) ? to.url : to.servers.join(', '));

const embeddedLogin = (server: EmbeddedServer): ConnectionOptions => ({
  servers: server.url,
  // Functions: after a restart the credentials are those of the server that is there then.
  authenticator: usernamePasswordAuthenticator(
    () => server.user,
    () => server.pass,
  ),
});

const addressLogin = ({ servers, tls, authenticator }: BusAddress): ConnectionOptions => ({
  servers: [...servers],
  ...(tls ? { tls: { ...tls } } : {}),
  ...(authenticator ? { authenticator } : {}),
});

function refusal(error: unknown, shown: string, credentialsFrom: string): CoxError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (error instanceof AuthorizationError && !isTooLate(error))
    return new CoxError('nats-denied', `The NATS server ${shown} refused the credentials (from ${credentialsFrom})`, {
      hint: 'Check NATS_CREDS, NATS_NKEY, NATS_TOKEN or NATS_USER and NATS_PASSWORD, or the user in NATS_URL.',
      cause: error,
    });
  // The cause often says the same again.
  const why = [...new Set([messageOf(error), messageOf(cause)])];
  return new CoxError('nats-unreachable', `The NATS server ${shown} cannot be reached: ${why.join(': ')}`, {
    hint: 'Check that it runs and that NATS_URL is right, or unset NATS_URL to use the embedded server.',
    cause: error,
  });
}

/** The client library takes no signal: a connection that comes too late is closed. */
function abortable(dialing: Promise<NatsConnection>, signal: AbortSignal | undefined): Promise<NatsConnection> {
  if (!signal) return dialing;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      reject(signal.reason);
      dialing.then((late) => late.close()).catch(() => {});
    };
    signal.addEventListener('abort', onAbort, { once: true });
    const stopListening = (): void => signal.removeEventListener('abort', onAbort);
    dialing.then(resolve, reject).finally(stopListening);
  });
}

/** Logs what happens to the connection. Of the embedded one: has a dead server brought back, and follows it to another port. */
async function follow(connection: NatsConnection, to: ConnectOptions['to'], log: Log): Promise<void> {
  let url = isEmbedded(to) ? to.url : '';
  const moveAlong = (): void => {
    if (!isEmbedded(to) || to.url === url || connection.isClosed()) return;
    url = to.url;
    connection.setServers([url]);
  };
  for await (const status of connection.status()) {
    if (status.type === 'error') log.error({ err: status.error }, 'the NATS server reported an error');
    else if (status.type === 'disconnect') log.warn({ server: status.server }, 'disconnected');
    else if (status.type === 'reconnect') log.info({ server: status.server }, 'reconnected');
    else if (status.type === 'slowConsumer')
      log.warn({ subject: status.sub.getSubject(), pending: status.pending }, 'slow consumer');
    else if (status.type === 'reconnecting') moveAlong();
    // Not awaited: the events must go on. A failure is retried and logged by the embedded server itself.
    if (status.type === 'disconnect' && isEmbedded(to)) to.ensure().then(moveAlong, () => {});
  }
}
