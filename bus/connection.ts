/** Connects to the bus: to the server that an operator named, or to the embedded server, which is restarted when it dies. */
import { AuthorizationError, type ConnectionOptions, TimeoutError, wsconnect } from '@nats-io/nats-core';
import { connect, type NatsConnection, usernamePasswordAuthenticator } from '@nats-io/transport-node';
import { CoxError, codeOf, messageOf } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import type { BusAddress } from './address.ts';
import type { EmbeddedServer } from './embedded/embedded-server.ts';
import { isNewEnough, tooOld, versionIn } from './server-version.ts';
import { spokeFirst, waitsForTls } from './tls-first.ts';

export interface ConnectOptions {
  readonly to: BusAddress | EmbeddedServer;
  /** Purpose of the connection, for example `worker`. NATS tools show it. */
  readonly name: string;
  readonly log: Log;
  /** Subject prefix of replies to this connection, so that each role can have its own permissions. Default: `_INBOX.<name>`. */
  readonly inboxPrefix?: string;
  /** Aborts the attempt to connect. It does not close an established connection. */
  readonly signal?: AbortSignal | undefined;
}

const connectTimeoutMs = 10_000;
const reconnectWaitMs = 250;
const reconnectJitterMs = 100;
/**
 * A link that fails silently is noticed when two pings are unanswered and the third is due: after at most 9 s. This is within the
 * lease of 10 s, so a worker has reconnected, or knows that it is disconnected, at about the time its tickets go to other
 * workers. With the client's defaults it would take six minutes, during which the node would hold tasks without committing
 * anything.
 */
const pingIntervalMs = 3_000;
const maxPingsOut = 2;

const isEmbedded = (to: ConnectOptions['to']): to is EmbeddedServer => 'ensure' in to;

/**
 * Opens a connection that never gives up reconnecting. The client restores subscriptions; requests during an outage wait or time
 * out.
 * @throws CoxError `nats-unreachable`, `nats-denied`, `nats-too-old`; the reason of `signal`.
 */
export async function connectBus({ to, name, log, inboxPrefix, signal }: ConnectOptions): Promise<NatsConnection> {
  const options: ConnectionOptions = {
    ...(isEmbedded(to) ? embeddedLogin(to) : addressLogin(to)),
    name: isEmbedded(to) ? `cox ${name} ${to.tag}` : `cox ${name}`,
    inboxPrefix: inboxPrefix ?? `_INBOX.${name.replace(/[^A-Za-z0-9_-]+/g, '_')}`,
    timeout: connectTimeoutMs,
    maxReconnectAttempts: -1,
    // Capturing a stack for each request costs more than the request. Callers name the failed request themselves.
    noAsyncTraces: true,
    reconnectTimeWait: isEmbedded(to) ? reconnectJitterMs : reconnectWaitMs,
    reconnectJitter: reconnectJitterMs,
    pingInterval: pingIntervalMs,
    maxPingOut: maxPingsOut,
    // Otherwise the second failed login closes the connection for good, even if both logins were only too slow.
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

/** Number of attempts to connect if the server finds each login too slow. */
const maxLateLogins = 5;
/** The server waits 2 s for a login by default. It reports a login that comes later as the same error as a wrong password. */
const isTooLate = (error: unknown): boolean => error instanceof AuthorizationError && /timeout/i.test(error.message);

/** If an embedded server died meanwhile, restarts it and dials again. */
async function dial(to: ConnectOptions['to'], options: ConnectionOptions, signal?: AbortSignal): Promise<NatsConnection> {
  if (!isEmbedded(to) && to.tls && to.transport === 'tcp' && (await waitsForTls(to.servers, signal)))
    options = { ...options, tls: { ...to.tls, handshakeFirst: true } };
  for (let late = 0; ; ) {
    signal?.throwIfAborted();
    const dialled = isEmbedded(to) ? to.pid : null;
    const dialing = !isEmbedded(to) && to.transport === 'websocket' ? wsconnect(options) : connect(options);
    try {
      return await abortable(dialing, signal);
    } catch (error) {
      if (signal?.aborted) throw error;
      if (isTooLate(error) && ++late < maxLateLogins) continue;
      if (options.tls?.handshakeFirst && spokeFirst(error) && !isEmbedded(to)) {
        options = { ...options, tls: { ...to.tls } };
        continue;
      }
      if (isEmbedded(to)) await to.ensure();
      if (isEmbedded(to) && to.pid !== dialled) options = { ...options, servers: to.url };
      else throw refusal(error, shownAs(to), isEmbedded(to) ? 'the embedded server' : to.credentialsFrom);
    }
  }
}

/** Without the query, in which a proxy may expect a secret. */
const shownAs = (to: ConnectOptions['to']): string =>
  isEmbedded(to) ? to.url : to.servers.map((url) => url.replace(/\?.*/, '')).join(', ');

const embeddedLogin = (server: EmbeddedServer): ConnectionOptions => ({
  servers: server.url,
  // Functions, because a restart of the server may change the credentials.
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

/** What the client library says of a connection that ended without an error and without a word. */
const isUndefined = (text: string): boolean => /provided an undefined error/.test(text);
const saidNothing = (error: unknown): boolean => error instanceof TimeoutError || isUndefined(messageOf(error));

const certificateCodes = /SELF_SIGNED|UNABLE_TO_|DEPTH_ZERO|ALTNAME_INVALID|CERT_/;

function refusal(error: unknown, shown: string, credentialsFrom: string): CoxError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (error instanceof AuthorizationError && !isTooLate(error))
    return new CoxError('nats-denied', `The NATS server ${shown} refused the credentials (from ${credentialsFrom})`, {
      hint: 'Check NATS_CREDS, NATS_NKEY, NATS_TOKEN or NATS_USER and NATS_PASSWORD, or the user in NATS_URL.',
      cause: error,
    });
  if (saidNothing(error) && shown.startsWith('nats:'))
    return new CoxError('nats-unreachable', `The NATS server ${shown} accepts the connection and says nothing`, {
      hint: 'If it wants TLS first (handshake_first), write tls:// in NATS_URL; otherwise check that the port is that of a NATS server.',
      cause: error,
    });
  // The cause often has the same message.
  const why = [...new Set([messageOf(error), messageOf(cause)])].map((text) =>
    isUndefined(text) ? 'it ended the connection' : text,
  );
  if (certificateCodes.test(`${codeOf(error)} ${codeOf(cause)}`))
    return new CoxError(
      'nats-unreachable',
      `The certificate of the NATS server ${shown} is not accepted: ${why[0]!.split(';')[0]}`,
      {
        hint: /^wss?:/.test(shown)
          ? 'Name the file of its authority in NODE_EXTRA_CA_CERTS, and the server as the certificate does in NATS_URL.'
          : 'Name the file of its authority in NATS_CA, and the server as the certificate does in NATS_URL.',
        cause: error,
      },
    );
  return new CoxError('nats-unreachable', `The NATS server ${shown} cannot be reached: ${why.join(': ')}`, {
    hint: 'Check that it runs and that NATS_URL is right, or unset NATS_URL to use the embedded server.',
    cause: error,
  });
}

/** The client library takes no signal, so a connection that is established after the abort is closed here. */
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

/** Logs the events of the connection. Restarts a dead embedded server and follows it to another port. */
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
    // Not awaited, so that further events are handled. The embedded server retries and logs a failure itself.
    if (status.type === 'disconnect' && isEmbedded(to)) to.ensure().then(moveAlong, () => {});
  }
}
