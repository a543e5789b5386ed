/**
 * A nats-server with `handshake_first` says nothing until the client has begun TLS; any other one sends its INFO line first, in
 * plain text. The client library must be told which of the two it dials.
 */
import { connect } from 'node:net';
import { codeOf } from '../platform/errors.ts';

/** Time in ms in which a server that greets has greeted. A server that is slower is dialled in both ways. */
const patienceMs = 700;
/** Time in ms in which a connection to a server that is there is open. */
const connectWithinMs = 3_000;

/** @returns whether the first of the servers that accepts a connection says nothing. */
export async function waitsForTls(servers: readonly string[], signal: AbortSignal | undefined): Promise<boolean> {
  for (const server of servers) {
    const said = await greeting(server, signal);
    if (said !== 'nobody') return said === 'silent';
  }
  return false;
}

function greeting(server: string, signal: AbortSignal | undefined): Promise<'greets' | 'silent' | 'nobody'> {
  const { hostname, port } = new URL(server.replace(/^\w+:/, 'http:'));
  // `http:` hides its own port.
  const at = Number(port || (server.endsWith(':80') ? 80 : 4222));
  return new Promise((resolve) => {
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: at, ...(signal && { signal }) });
    const end = (said: 'greets' | 'silent' | 'nobody'): void => {
      socket.destroy();
      resolve(said);
    };
    let isOpen = false;
    socket.setTimeout(connectWithinMs, () => end(isOpen ? 'silent' : 'nobody'));
    socket.once('connect', () => {
      isOpen = true;
      socket.setTimeout(patienceMs);
    });
    socket.once('data', () => end('greets'));
    socket.once('error', () => end('nobody'));
    socket.once('close', () => end(isOpen ? 'silent' : 'nobody'));
  });
}

/** Whether a TLS-first attempt failed because the server speaks plain text first. */
export function spokeFirst(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if (/^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG)$/.test(codeOf(cause))) return true;
  return false;
}
