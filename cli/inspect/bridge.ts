/**
 * Hands messages of inspection to inspectors on this machine, over a WebSocket on loopback (docs/adr/0040). Invariants:
 * - Nobody attaches without the present token, which one attach uses up; and no page of an origin that was not named.
 * - A request whose Host is not this bridge on loopback is refused: a name that somebody points at 127.0.0.1 is another origin.
 * - An inspector that does not read, or sends much, costs a bounded amount of memory and is given up.
 */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Inspected } from '../../bus/inspect/inspection-messages.ts';
import { Sampler } from '../../bus/inspect/sampler.ts';
import { OneTimeToken } from './one-time-token.ts';
import { Replay } from './replay.ts';
import { type StatelyMessage, sessionOf, statelyOf } from './stately.ts';
import { statelyPage } from './stately-page.ts';
import { attach, type TextSocket } from './web-socket.ts';

/** Most inspectors at once. */
export const mostInspectors = 8;
/** An inspector draws each message, so hundreds of actors make it slow: beyond this rate messages are sampled. */
const perSecond = 100;
const burst = 1_000;

export interface BridgeOptions {
  /** 0: a free port. */
  readonly port: number;
  /** Origins of pages that may attach, besides pages of the bridge itself. */
  readonly origins: readonly string[];
  /** Address of the Stately Inspector, for a page that frames it; null: no page. */
  readonly inspector: URL | null;
  /** Called when a token is used up, with the links that count from now on. */
  readonly onLinks: (links: BridgeLinks) => void;
}
export interface BridgeLinks {
  /** For `createWebSocketReceiver({ server })`. */
  readonly server: string;
  /** The page with the Stately Inspector. */
  readonly page?: string;
}

export class Bridge {
  readonly #options: BridgeOptions;
  readonly #server = createServer({ headersTimeout: 5_000, requestTimeout: 5_000, maxHeaderSize: 8_192 });
  readonly #connections = new Set<Socket>();
  readonly #inspectors = new Set<TextSocket>();
  readonly #replay = new Replay();
  readonly #sampler = new Sampler<StatelyMessage>({
    perSecond,
    burst,
    send: (message, skipped) => this.#send(skipped > 0 ? { ...message, skipped } : message),
  });
  readonly #socketToken = new OneTimeToken();
  readonly #pageToken = new OneTimeToken();
  /** For the WebSocket of a page that was opened. */
  readonly #innerTokens = new Set<OneTimeToken>();
  #port = 0;

  private constructor(options: BridgeOptions) {
    this.#options = options;
    this.#server.on('connection', (socket) => {
      this.#connections.add(socket);
      socket.on('close', () => this.#connections.delete(socket));
    });
    this.#server.on('request', (request, response) => {
      const refusal = this.#whyRefused(request) ?? this.#whyNoPage(request);
      const page = refusal === null ? this.#page() : null;
      response.writeHead(refusal ?? 200, { ...plainHeaders, ...page?.headers });
      response.end(page ? page.html : 'Refused. cox inspect prints the link that counts.\n');
    });
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  /** @throws the error of the system, such as EADDRINUSE. */
  static async open(options: BridgeOptions): Promise<Bridge> {
    const bridge = new Bridge(options);
    const server = bridge.#server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(options.port, '127.0.0.1', () => resolve());
    });
    server.removeAllListeners('error');
    server.on('error', () => {});
    bridge.#port = (server.address() as AddressInfo).port;
    return bridge;
  }

  get links(): BridgeLinks {
    return {
      server: `ws://127.0.0.1:${this.#port}/?token=${this.#socketToken.value}`,
      ...(this.#options.inspector && { page: `http://127.0.0.1:${this.#port}/?token=${this.#pageToken.value}` }),
    };
  }

  push(message: Inspected): void {
    const sort = message.type === '@xstate.actor' ? 'actor' : message.type === '@xstate.event' ? 'event' : 'snapshot';
    this.#sampler.offer(sessionOf(message), sort, () => statelyOf(message));
  }
  /** Keeps a message of the past for inspectors that attach later; those that are there do not get it. */
  remember(message: Inspected): void {
    const stately = statelyOf(message);
    this.#replay.keep(stately, JSON.stringify(stately));
  }

  /** Ends all connections. Idempotent. */
  async stop(): Promise<void> {
    this.#sampler.stop();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const left = [...this.#inspectors].map((inspector) => {
      inspector.close(1001);
      return inspector.closed;
    });
    await Promise.all(left);
    for (const socket of this.#connections) socket.destroy();
    await closed;
  }

  #send(message: StatelyMessage): void {
    const text = JSON.stringify(message);
    this.#replay.keep(message, text);
    for (const inspector of this.#inspectors) inspector.send(text);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    let isInner = false;
    attach(request, socket, head, {
      whyRefused: () => {
        const refusal = this.#whyRefused(request) ?? (this.#inspectors.size >= mostInspectors ? 503 : null);
        if (refusal !== null) return refusal;
        // Last, so that a request that is refused for another reason uses no token up.
        const given = tokenOf(request);
        const inner = [...this.#innerTokens].find((token) => token.take(given));
        isInner = inner !== undefined && this.#innerTokens.delete(inner);
        return isInner || this.#socketToken.take(given) ? null : 401;
      },
      attached: (inspector) => {
        this.#inspectors.add(inspector);
        void inspector.closed.then(() => this.#inspectors.delete(inspector));
        for (const text of this.#replay.all()) inspector.send(text);
        if (!isInner) this.#options.onLinks(this.links);
      },
    });
  }

  #whyNoPage(request: IncomingMessage): number | null {
    if (this.#options.inspector === null || request.method !== 'GET' || pathOf(request) !== '/') return 404;
    return this.#pageToken.take(tokenOf(request)) ? null : 401;
  }

  #page() {
    const token = new OneTimeToken();
    this.#innerTokens.add(token);
    if (this.#innerTokens.size > mostInspectors) this.#innerTokens.delete([...this.#innerTokens][0]!);
    this.#options.onLinks(this.links);
    return statelyPage(this.#options.inspector!, this.#port, token.value);
  }

  /** By the names under which the request has come, and from which page. */
  #whyRefused({ headers }: IncomingMessage): number | null {
    const own = [`127.0.0.1:${this.#port}`, `localhost:${this.#port}`];
    if (!own.includes((headers.host ?? '').toLowerCase())) return 421;
    const { origin } = headers;
    // A program that is no browser names none; the token is enough for it.
    if (origin === undefined || own.some((host) => origin === `http://${host}`)) return null;
    return this.#options.origins.includes(origin) ? null : 403;
  }
}

const plainHeaders = {
  'Content-Type': 'text/plain; charset=utf-8',
  'Cache-Control': 'no-store',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  Connection: 'close',
};

function addressOf({ url = '/' }: IncomingMessage): URL | null {
  return URL.parse(url, 'http://bridge');
}
const pathOf = (request: IncomingMessage): string | undefined => addressOf(request)?.pathname;
const tokenOf = (request: IncomingMessage): string | null => addressOf(request)?.searchParams.get('token') ?? null;
