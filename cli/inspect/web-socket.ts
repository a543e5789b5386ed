/**
 * The server’s end of a WebSocket that only sends text, by the package `ws` (docs/adr/0040). A client that sends more than a few
 * bytes, does not answer pings or does not read is given up. No extension and no subprotocol.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';

/** Longest message that a client may send, in bytes. */
const maxPayload = 4_096;
/** Most bytes that wait for a client to read them. Further messages are left out. */
const maxUnreadBytes = 8_000_000;
const pingMs = 20_000;
/** A client that does not say good-bye within this time, in ms, is cut off. */
const goodByeMs = 200;

export interface Attaching {
  /** Asked once, for a request that is a good handshake. The status of a refusal, or null. */
  readonly whyRefused: (request: IncomingMessage) => number | null;
  readonly attached: (client: TextSocket) => void;
}

/** Answers a request for a WebSocket: with a connection, or with the status of a refusal. */
export function attach(request: IncomingMessage, socket: Duplex, head: Buffer, { whyRefused, attached }: Attaching): void {
  const server = new WebSocketServer({
    ...{ noServer: true, maxPayload, perMessageDeflate: false, clientTracking: false, autoPong: false },
    verifyClient: ({ req }: { req: IncomingMessage }, answer: (isGood: boolean, status?: number) => void) => {
      const status = whyRefused(req);
      answer(status === null, status ?? undefined);
    },
  });
  server.handleUpgrade(request, socket, head, (client) => attached(new TextSocket(client)));
}

export class TextSocket {
  /** Resolves when the connection has ended, for whatever reason. */
  readonly closed: Promise<void>;
  readonly #client: WebSocket;
  #isAlive = true;

  constructor(client: WebSocket) {
    this.#client = client;
    const pinging = setInterval(() => this.#ping(), pingMs);
    pinging.unref();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    client.on('close', () => {
      clearInterval(pinging);
      resolve();
    });
    client.on('error', () => client.terminate());
    client.on('ping', (payload) => this.#pong(payload));
    client.on('pong', () => {
      this.#isAlive = true;
    });
  }

  /** @returns false if the client has too much unread: the message is left out. */
  send(text: string): boolean {
    const { readyState, OPEN, bufferedAmount } = this.#client;
    if (readyState !== OPEN || bufferedAmount + text.length > maxUnreadBytes) return false;
    this.#client.send(text.toWellFormed());
    return true;
  }

  /** Says good-bye and ends the connection, also if the client does not read. */
  close(code: number): void {
    this.#client.close(code);
    setTimeout(() => this.#client.terminate(), goodByeMs).unref();
  }

  #ping(): void {
    if (!this.#isAlive) this.#client.terminate();
    else if (this.#client.readyState === this.#client.OPEN) this.#client.ping();
    this.#isAlive = false;
  }

  #pong(payload: Buffer): void {
    // A client that pings and does not read would have the replies pile up here.
    if (this.#client.bufferedAmount + payload.length > maxUnreadBytes) this.#client.terminate();
    else this.#client.pong(payload);
  }
}
