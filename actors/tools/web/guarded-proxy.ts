/**
 * A forward proxy on loopback through which every byte of a browser goes. Each request is checked by the web policy after the
 * look-up of its host, and the connection goes to an address that was checked. A task has credentials of its own, so a refusal
 * reaches the task whose page asked for it, and the end of a task ends its connections.
 * - CONNECT, for https and WebSockets: a tunnel to `host:port`.
 * - Requests with an absolute `http:` address, also those that upgrade to a WebSocket.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import {
  type ClientRequest,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { CoxError, codeOf, messageOf } from '../../../platform/errors.ts';
import { originOf, plainHost, portOf } from '../../../roster/web-schema.ts';
import { checkedHost, pinnedLookup } from './pinned-lookup.ts';
import { connectTo, joinSockets } from './tunnel.ts';
import { type WebAddress, type WebPolicy, WebRefused } from './web-policy.ts';

export interface ProxyUser {
  readonly username: string;
  readonly password: string;
  /** The task has gone to this address, so pages may load from its origin also with `web.resources: listed`. */
  visits(url: URL): void;
  /**
   * Requests of plain http that are no GET go only to addresses for which this is true. A browser tells the node of the first
   * request of a chain of redirects alone; here each of them passes. Of https only the host is known. Default: they go everywhere.
   */
  sendsOnly(may: (url: URL) => boolean): void;
  /** Why the last request to the host and port of this address got no reply; null if it got one, or if there was none. */
  whyUnreached(url: URL): string | null;
  /** Ends the connections of the task; its credentials are worth nothing any more. Idempotent. */
  end(): void;
}
export interface GuardedProxy {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /**
   * Credentials for one task.
   * @param onRefused is told about each refused request: the reason in a sentence, and the address, or `host:port` of a tunnel. A
   * page can cause any number of them.
   */
  user(task: string, onRefused: (why: string, url: string) => void): ProxyUser;
  /** Ends all connections. Idempotent. */
  close(): Promise<void>;
}

/** Connections that one task may have at once, with those that are being opened. */
const maxConnections = 256;

interface User {
  readonly task: string;
  readonly password: string;
  readonly onRefused: (why: string, url: string) => void;
  readonly visited: Set<string>;
  readonly sockets: Set<Socket>;
  /** Why the last request got no reply, by `host:port`; the oldest first. */
  readonly unreached: Map<string, string>;
  /** Connections that are being opened or open. */
  open: number;
  hasEnded: boolean;
  maySend: (url: URL) => boolean;
}
/** A reply of the proxy itself. */
class Refusal extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** @param policy the present one; it is asked for each request. */
export async function openGuardedProxy(policy: () => WebPolicy): Promise<GuardedProxy> {
  const users = new Map<string, User>();
  const clients = new Set<Socket>();
  const server = createServer();
  server.on('connection', (socket) => {
    clients.add(socket);
    socket.on('close', () => clients.delete(socket));
    // The handlers of a request come later than the first error may.
    socket.on('error', () => socket.destroy());
  });
  server.on('clientError', (_, socket) => refuse(socket as Socket, new Refusal(400, 'not a request')));

  server.on('connect', (request: IncomingMessage, source: Socket, head: Buffer) => {
    void answer(source, null, async () => {
      const user = userOf(request, users);
      const { host, port } = authorityIn(request.url ?? '');
      const place = { host, port, name: `${host}:${port}`, schemes: ['https', 'http'] };
      const target = await admitted(user, policy(), place, (addresses, release) =>
        connectTo(addresses, port, (socket) => {
          socket.once('close', release);
          source.once('close', () => socket.destroy());
          keep(user, socket, source);
        }),
      );
      source.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      if (head.length > 0) target.write(head);
      joinSockets(source, target);
    });
  });

  server.on('request', (request, response) => {
    void answer(request.socket, response, async () => {
      const outgoing = await forwarded(request, withoutHops(request.rawHeaders));
      response.on('close', () => outgoing.destroy());
      await new Promise<void>((resolve, reject) => {
        outgoing.once('error', reject);
        outgoing.once('upgrade', (_, target) => {
          target.destroy();
          reject(new Refusal(502, 'The server changed to another protocol that nobody asked for.'));
        });
        outgoing.once('response', (reply) => {
          const { statusCode = 0 } = reply;
          if (statusCode < 200) {
            outgoing.destroy();
            return reject(new Refusal(502, `The server answered with the status ${statusCode}, which is none.`));
          }
          // The server's own words for the status may have characters that no head may have.
          response.writeHead(statusCode, STATUS_CODES[statusCode] ?? '', withoutHops(reply.rawHeaders));
          // A reply that breaks off must not look whole.
          reply.on('close', () => reply.complete || request.socket.destroy());
          reply.pipe(response);
          resolve();
        });
        request.pipe(outgoing);
      });
    });
  });

  server.on('upgrade', (request: IncomingMessage, source: Socket, head: Buffer) => {
    void answer(source, null, async () => {
      const upgrade = ['Connection', 'Upgrade', 'Upgrade', request.headers.upgrade ?? ''];
      const outgoing = await forwarded(request, [...withoutHops(request.rawHeaders), ...upgrade]);
      source.on('close', () => outgoing.destroy());
      await new Promise<void>((resolve, reject) => {
        outgoing.once('error', reject);
        outgoing.once('response', ({ statusCode = 502 }) => {
          outgoing.destroy();
          reject(new Refusal(502, `The server did not take the upgrade: it answered ${statusCode}.`));
        });
        outgoing.once('upgrade', (reply, target, first) => {
          source.write(headOf(101, reply.rawHeaders));
          if (first.length > 0) source.write(first);
          if (head.length > 0) target.write(head);
          joinSockets(source, target);
          resolve();
        });
        outgoing.end();
      });
    });
  });

  /** The request to the host of an absolute address. Its connection is counted, and ends with the task. */
  function forwarded(request: IncomingMessage, headers: readonly string[]): Promise<ClientRequest> {
    const user = userOf(request, users);
    const url = addressIn(request.url ?? '');
    const port = url.port === '' ? 80 : Number(url.port);
    if (!/^(?:GET|HEAD|OPTIONS)$/.test(request.method ?? 'GET') && !user.maySend(url)) {
      const why = `Refused: a redirect would send a form on to ${url.origin}, and nobody has been asked about that.`;
      user.onRefused(why, url.href);
      throw new Refusal(403, why);
    }
    const place = { host: url.hostname, port, name: url.href, schemes: ['http'] };
    return admitted(user, policy(), place, async (addresses, release) => {
      const outgoing = httpRequest({
        ...{ host: checkedHost, port, lookup: pinnedLookup(addresses), agent: false },
        ...{ method: request.method ?? 'GET', path: `${url.pathname}${url.search}` },
        headers: [...headers, 'Host', url.host] as never,
      });
      outgoing.once('socket', (socket) => keep(user, socket, request.socket));
      outgoing.once('close', () => {
        const { socket } = outgoing;
        // An upgraded connection outlives its request.
        if (socket && !socket.destroyed) socket.once('close', release);
        else release();
      });
      // The waiter for the reply hears of an error too.
      outgoing.on('error', (cause) => recordReach(user, place, unreachable(place.host, cause)));
      outgoing.once('response', () => recordReach(user, place, null));
      return outgoing;
    });
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  let closing: Promise<void> | null = null;
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    user: (task, onRefused) => {
      const username = `task-${randomBytes(12).toString('hex')}`;
      const password = randomBytes(24).toString('hex');
      const user: User = {
        task,
        password,
        onRefused,
        visited: new Set(),
        sockets: new Set(),
        unreached: new Map(),
        open: 0,
        hasEnded: false,
        maySend: () => true,
      };
      users.set(username, user);
      return {
        username,
        password,
        visits: (url) => {
          const origin = originOf(url);
          if (origin !== null) user.visited.add(origin);
        },
        sendsOnly: (may) => {
          user.maySend = may;
        },
        whyUnreached: (url) => user.unreached.get(placeOf(url.hostname, portOf(url))) ?? null,
        end: () => {
          users.delete(username);
          endUser(user);
        },
      };
    },
    close: () => {
      closing ??= new Promise((resolve) => {
        server.close(() => resolve());
        for (const user of users.values()) endUser(user);
        users.clear();
        for (const socket of clients) socket.destroy();
      });
      return closing;
    },
  };
}

function endUser(user: User): void {
  user.hasEnded = true;
  for (const socket of user.sockets) socket.destroy();
}

/** Ends both sides of a connection with the task. */
function keep(user: User, target: Socket, source: Socket): void {
  for (const socket of [target, source]) {
    if (user.sockets.has(socket)) continue;
    user.sockets.add(socket);
    socket.once('close', () => user.sockets.delete(socket));
  }
  if (user.hasEnded || source.destroyed) target.destroy();
}

interface Place {
  readonly host: string;
  readonly port: number;
  /** The name of the request in a refusal. */
  readonly name: string;
  /** The schemes by which the origin may be listed. A tunnel does not say which one it carries. */
  readonly schemes: readonly string[];
}

/**
 * Opens a connection if the policy lets the task. `open` calls `release` when the connection is closed, or throws.
 * @throws Refusal, which the task is told about.
 */
async function admitted<T>(
  user: User,
  policy: WebPolicy,
  { host, port, name, schemes }: Place,
  open: (addresses: readonly WebAddress[], release: () => void) => Promise<T>,
): Promise<T> {
  const refused = (status: number, why: string) => {
    user.onRefused(why, name);
    return new Refusal(status, why);
  };
  if (user.open >= maxConnections)
    throw refused(503, `Refused: the page has ${maxConnections} connections open; that is the limit of one task.`);
  user.open++;
  let isOpen = true;
  const release = () => {
    if (isOpen) user.open--;
    isOpen = false;
  };
  try {
    if (policy.onlyListed && !schemes.some((scheme) => isKnown(user, policy, scheme, host, port)))
      throw new WebRefused(
        `Refused: ${host} is not in \`web.origins\` of the roster, and with \`web.resources: listed\` pages load from nowhere else.`,
      );
    const addresses = await policy.resolve(host, port);
    if (user.hasEnded) throw new Refusal(407, 'The task has ended.');
    const opened = await open(addresses, release);
    recordReach(user, { host, port }, null);
    return opened;
  } catch (cause) {
    release();
    if (cause instanceof WebRefused) {
      recordReach(user, { host, port }, 'it was refused');
      throw refused(403, cause.message);
    }
    if (cause instanceof Refusal) throw cause;
    const why = unreachable(host, cause);
    recordReach(user, { host, port }, why);
    throw new Refusal(502, why);
  }
}

const placeOf = (host: string, port: number): string => `${plainHost(host) ?? host}:${port}`;
/** Most places that are remembered for a task. */
const maxUnreached = 100;

function recordReach({ unreached }: User, { host, port }: Pick<Place, 'host' | 'port'>, why: string | null): void {
  const place = placeOf(host, port);
  unreached.delete(place);
  if (why === null) return;
  unreached.set(place, why);
  const [oldest] = unreached.keys();
  if (unreached.size > maxUnreached) unreached.delete(oldest!);
}

const unreachable = (host: string, cause: unknown): string =>
  cause instanceof CoxError ? cause.message : `${host} cannot be reached (${codeOf(cause) || messageOf(cause)}).`;

function isKnown({ visited }: User, policy: WebPolicy, scheme: string, host: string, port: number): boolean {
  const plain = plainHost(host);
  if (plain === null) return false;
  const url = new URL(`${scheme}://${plain.includes(':') ? `[${plain}]` : plain}:${port}`);
  return policy.isListed(url) || visited.has(originOf(url)!);
}

/** @throws Refusal 407: the client shows its credentials on that. */
function userOf({ headers }: IncomingMessage, users: ReadonlyMap<string, User>): User {
  const [, encoded = ''] = /^basic ([A-Za-z0-9+/=]{1,500})$/i.exec(headers['proxy-authorization'] ?? '') ?? [];
  const [username = '', password = ''] = Buffer.from(encoded, 'base64').toString('latin1').split(':');
  const user = users.get(username);
  const isRight =
    user && password.length === user.password.length && timingSafeEqual(Buffer.from(password), Buffer.from(user.password));
  if (!isRight) throw new Refusal(407, 'This proxy serves the tasks of one node alone.');
  return user;
}

function authorityIn(text: string): { host: string; port: number } {
  const [, host, digits] = /^(\[[0-9A-Fa-f:.]{2,45}\]|[^:\s/@]{1,255}):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (host === undefined || port < 1 || port > 65_535) throw new Refusal(400, 'CONNECT takes host:port');
  return { host, port };
}

function addressIn(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol !== 'http:') throw new Refusal(400, 'This proxy takes absolute http addresses, and CONNECT for all others.');
  return url;
}

/** Headers that are about one connection alone. */
const hops = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'upgrade',
]);
/** The raw headers without those of the connection, those that `Connection` names, and the host, which the address says. */
function withoutHops(raw: readonly string[]): string[] {
  const pairs = raw.flatMap((name, i) => (i % 2 === 0 ? [[name, raw[i + 1] ?? ''] as const] : []));
  const named = pairs.flatMap(([name, value]) => (name.toLowerCase() === 'connection' ? value.toLowerCase().split(',') : []));
  const dropped = new Set([...hops, ...named.map((it) => it.trim()), 'host', 'transfer-encoding']);
  return pairs.flatMap(([name, value]) => (dropped.has(name.toLowerCase()) ? [] : [name, value]));
}

function headOf(status: number, headers: readonly string[]): string {
  const lines = headers.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${headers[i + 1]}`] : []));
  return [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`, ...lines, '', ''].join('\r\n');
}

/** Does the work of one request. Where it fails before anything was said, the client is told why, at once. */
async function answer(source: Socket, response: ServerResponse | null, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (cause) {
    const refusal = cause instanceof Refusal ? cause : new Refusal(502, unreachable('The host', cause));
    if (response === null) return refuse(source, refusal);
    if (response.headersSent) return void source.destroy();
    response.writeHead(refusal.status, [...wordsHeaders(refusal)]).end(refusal.message);
  }
}

/** A reply of the proxy as the last words on a connection. */
function refuse(source: Socket, refusal: Refusal): void {
  if (!source.writable) return void source.destroy();
  source.end(`${headOf(refusal.status, wordsHeaders(refusal))}${refusal.message}`);
  source.setTimeout(1_000, () => source.destroy());
}

const wordsHeaders = ({ status, message }: Refusal): string[] => [
  ...(status === 407 ? ['Proxy-Authenticate', 'Basic realm="cox"'] : []),
  ...['Content-Type', 'text/plain; charset=utf-8', 'Content-Length', String(Buffer.byteLength(message)), 'Connection', 'close'],
];
