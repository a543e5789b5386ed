/**
 * The connection of a page in a browser to the bus: it reads by requests and listens to events, over the WebSocket of the server.
 * The package for NATS is imported here alone, because only `bus` may; this file runs in a browser, so it uses nothing of Node.
 */
import { type Auth, type NatsConnection, NoRespondersError, TimeoutError, wsconnect } from '@nats-io/nats-core';

/** The access to the bus that a console gives to its page (docs/adr/0044). */
export interface PageAccess {
  /** Address of the WebSocket. */
  readonly url: string;
  /** Name of the member that reads; the prefix of its inbox follows from it. */
  readonly member: string;
  readonly namespace: string;
  readonly connectionName: string;
  /** Null: the console signs the challenge of the server, and keeps the key to itself. */
  readonly login: { readonly user: string; readonly pass: string } | null;
  /** When another access must have replaced this one; null: it does not end by itself. */
  readonly expiresAt: string | null;
}

/** The answer to a challenge, as the client library sends it. */
export type Signed = object;
export type LinkState = 'connected' | 'away' | 'closed';

export class RefusedRequest extends Error {
  readonly code: string;
  readonly hint: string;
  constructor({ code, message, hint }: { code: string; message: string; hint: string }) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}

export interface PageConnection {
  /** One reply of one node. @throws RefusedRequest, or an error of the connection. */
  ask<T>(verb: string, request: object): Promise<T>;
  /** The replies of all nodes that answer within `ms`. */
  askAll<T>(verb: string, request: object, ms: number): Promise<T[]>;
  /** Subjects are written without the namespace: `tasks.k3xq.*.status`. @returns a function that ends it. */
  listen(subject: string, hear: (message: unknown, subject: string) => void): () => void;
  close(): Promise<void>;
}

export interface PageConnectionOptions {
  readonly access: PageAccess;
  readonly sign: (nonce: string) => Promise<Signed>;
  readonly onState: (state: LinkState) => void;
}

const timeoutMs = 15_000;
const reconnectWaitMs = 400;

export async function connectPage({ access, sign, onState }: PageConnectionOptions): Promise<PageConnection> {
  let signed: Signed = {};
  const { login, namespace } = access;
  const nc = await wsconnect({
    servers: access.url,
    name: access.connectionName,
    inboxPrefix: `_INBOX.${access.member}`,
    timeout: timeoutMs,
    maxReconnectAttempts: -1,
    reconnectTimeWait: reconnectWaitMs,
    pingInterval: 5_000,
    ignoreClusterUpdates: true,
    noAsyncTraces: true,
    ...(login ? { user: login.user, pass: login.pass } : { authenticator: () => signed as Auth }),
    ...(!login && {
      wsFactory: async (url: string) => {
        const { socket, nonce, tellAgain } = await firstWord(url);
        signed = await sign(nonce);
        // The library puts its handlers on when this function has returned.
        setTimeout(tellAgain);
        return { socket, encrypted: url.startsWith('wss:') };
      },
    }),
  });
  void follow(nc, onState);
  onState('connected');
  return {
    ask: async <T>(verb: string, request: object) => {
      const subject = `${namespace}.api.${verb}`;
      const reply = await nc.request(subject, JSON.stringify(request), { timeout: timeoutMs }).catch((cause) => {
        throw unanswered(cause);
      });
      if (!reply.headers?.get('Nats-Service-Error-Code')) return reply.json<T>();
      throw new RefusedRequest(reply.json());
    },
    askAll: async <T>(verb: string, request: object, ms: number) => {
      const found: T[] = [];
      const how = { strategy: 'timer', maxWait: ms } as const;
      for await (const reply of await nc.requestMany(`${namespace}.api.${verb}`, JSON.stringify(request), how))
        found.push(reply.json<T>());
      return found;
    },
    listen: (subject, hear) => {
      const subscription = nc.subscribe(`${namespace}.${subject}`, {
        callback: (error, message) => {
          if (error) return;
          const value = parsed(message.data);
          if (value !== undefined) hear(value, message.subject.slice(namespace.length + 1));
        },
      });
      return () => subscription.unsubscribe();
    },
    close: () => nc.close(),
  };
}

/** In words for an operator. */
function unanswered(cause: unknown): unknown {
  const is = (kind: typeof NoRespondersError | typeof TimeoutError) =>
    cause instanceof kind || (cause instanceof Error && cause.cause instanceof kind);
  if (is(NoRespondersError))
    return new RefusedRequest({ code: 'no-node', message: 'no node of the crew is up', hint: 'Start one: cox up.' });
  if (is(TimeoutError))
    return new RefusedRequest({
      code: 'bus-away',
      message: `no node has answered for ${timeoutMs / 1_000} s`,
      hint: 'Look at the nodes and the server.',
    });
  return cause;
}

const decoder = new TextDecoder();
/** Anybody on the bus may publish anything; what is not JSON is nothing for a page. */
function parsed(data: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(data));
  } catch {
    return undefined;
  }
}

async function follow(nc: NatsConnection, onState: (state: LinkState) => void): Promise<void> {
  for await (const { type } of nc.status()) {
    if (type === 'disconnect') onState('away');
    if (type === 'reconnect') onState('connected');
  }
  onState('closed');
}

/**
 * Opens the socket and waits for the first message of the server, which has the challenge. The client library wants to read that
 * message too, so `tellAgain` delivers it once more.
 */
function firstWord(url: string): Promise<{ socket: WebSocket; nonce: string; tellAgain: () => void }> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    socket.binaryType = 'arraybuffer';
    socket.onerror = () => reject(new Error(`no WebSocket at ${url}`));
    socket.onclose = () => reject(new Error(`the server at ${url} has ended the connection`));
    socket.onmessage = ({ data }) => {
      const info = /^INFO (\{.*\})/.exec(decoder.decode(data as ArrayBuffer));
      const { nonce = '' } = info ? (JSON.parse(info[1]!) as { nonce?: string }) : {};
      socket.onmessage = null;
      resolve({ socket, nonce, tellAgain: () => socket.dispatchEvent(new MessageEvent('message', { data })) });
    };
  });
}
