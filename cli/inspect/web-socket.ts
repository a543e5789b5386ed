/**
 * The server’s end of a WebSocket (RFC 6455) that only sends text. What a client sends is read and thrown away, within a bound; a
 * client that does not read is given up. No extension and no subprotocol.
 */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

const magic = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const opcodes = { text: 1, close: 8, ping: 9, pong: 10 } as const;
/** Longest frame that a client may send, in bytes. */
const maxFrameBytes = 4_096;
/** Most bytes that wait for a client to read them. Further messages are left out. */
const maxUnreadBytes = 8_000_000;
const pingMs = 20_000;

/** @returns the value of `Sec-WebSocket-Accept`; null if the request asks for no WebSocket that this server speaks. */
export function acceptOf({ method, headers }: IncomingMessage): string | null {
  const key = headers['sec-websocket-key'];
  const isUpgrade = /^websocket$/i.test(headers.upgrade ?? '') && /\bupgrade\b/i.test(headers.connection ?? '');
  if (method !== 'GET' || !isUpgrade || headers['sec-websocket-version'] !== '13') return null;
  if (key === undefined || !/^[A-Za-z0-9+/]{22}==$/.test(key)) return null;
  return createHash('sha1').update(`${key}${magic}`).digest('base64');
}

export class TextSocket {
  /** Resolves when the connection has ended, for whatever reason. */
  readonly closed: Promise<void>;
  readonly #socket: Duplex;
  #received: Buffer = Buffer.alloc(0);
  #isAlive = true;
  #isClosing = false;

  /** @param accept as `acceptOf` returned it. */
  constructor(socket: Duplex, accept: string) {
    this.#socket = socket;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    const pinging = setInterval(() => this.#ping(), pingMs);
    pinging.unref();
    socket.on('close', () => {
      clearInterval(pinging);
      resolve();
    });
    socket.on('error', () => socket.destroy());
    socket.on('end', () => socket.destroy());
    socket.on('data', (data: Buffer) => this.#receive(data));
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
  }

  /** @returns false if the client has too much unread: the message is left out. */
  send(text: string): boolean {
    if (this.#isClosing || !this.#socket.writable) return false;
    const payload = Buffer.from(text.toWellFormed());
    if (this.#socket.writableLength + payload.length > maxUnreadBytes) return false;
    this.#socket.write(frame(opcodes.text, payload));
    return true;
  }

  /** Says good-bye and ends the connection, also if the client does not read. */
  close(code: number): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    const payload = Buffer.alloc(2);
    payload.writeUInt16BE(code);
    if (this.#socket.writable) this.#socket.end(frame(opcodes.close, payload));
    setTimeout(() => this.#socket.destroy(), 200).unref();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #ping(): void {
    if (!this.#isAlive) this.destroy();
    this.#isAlive = false;
    if (this.#socket.writable) this.#socket.write(frame(opcodes.ping, Buffer.alloc(0)));
  }

  #receive(data: Buffer): void {
    if (this.#isClosing) return;
    this.#isAlive = true;
    this.#received = this.#received.length === 0 ? data : Buffer.concat([this.#received, data]);
    for (let next = readFrame(this.#received); next !== 'more' && !this.#isClosing; next = readFrame(this.#received)) {
      if (next === 'refused' || next.opcode === opcodes.close) {
        this.close(next === 'refused' ? 1009 : 1000);
        return;
      }
      this.#received = this.#received.subarray(next.bytes);
      if (next.opcode === opcodes.ping) this.#socket.write(frame(opcodes.pong, next.payload));
    }
  }
}

function frame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head[0] = 0x80 | opcode;
  if (length < 126) head[1] = length;
  else if (length < 65_536) {
    head[1] = 126;
    head.writeUInt16BE(length, 2);
  } else {
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([head, payload]);
}

interface Frame {
  readonly opcode: number;
  readonly payload: Buffer;
  /** Length of the whole frame. */
  readonly bytes: number;
}
/** `refused`: it is too long, or not masked as frames of a client are. */
function readFrame(data: Buffer): Frame | 'more' | 'refused' {
  if (data.length < 2) return 'more';
  const [first, second] = [data[0]!, data[1]!];
  if ((second & 0x80) === 0) return 'refused';
  const short = second & 0x7f;
  if (short === 127) return 'refused';
  const at = short === 126 ? 4 : 2;
  if (data.length < at) return 'more';
  const length = short === 126 ? data.readUInt16BE(2) : short;
  if (length > maxFrameBytes) return 'refused';
  const bytes = at + 4 + length;
  if (data.length < bytes) return 'more';
  const mask = data.subarray(at, at + 4);
  const payload = Buffer.from(data.subarray(at + 4, bytes).map((byte, i) => byte ^ mask[i % 4]!));
  return { opcode: first & 0x0f, payload, bytes };
}
