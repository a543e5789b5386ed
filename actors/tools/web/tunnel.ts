/** Two sockets whose bytes go to each other. Neither outlives the other for long, so that a silent peer holds nothing open. */
import { connect, type Socket } from 'node:net';
import { checkedHost, pinnedLookup } from './pinned-lookup.ts';
import type { WebAddress } from './web-policy.ts';

/** Longest wait for a connection, in ms. */
const connectMs = 30_000;
/** Once one side has said its last word, the other may be silent for this many ms. */
const lingerMs = 30_000;

/** Opens a connection to the first of the addresses that answers. @throws Error, with the code of the system. */
export function connectTo(addresses: readonly WebAddress[], port: number, onSocket: (socket: Socket) => void): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: checkedHost, port, lookup: pinnedLookup(addresses), autoSelectFamily: true });
    onSocket(socket);
    socket.setTimeout(connectMs, () => socket.destroy(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })));
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the connection was closed')));
    socket.once('connect', () => {
      socket.setTimeout(0);
      resolve(socket);
    });
  });
}

/** Joins two sockets that are open. Errors end both. */
export function joinSockets(source: Socket, target: Socket): void {
  for (const [from, to] of [
    [source, target],
    [target, source],
  ] as const) {
    from.on('error', () => to.destroy());
    from.on('close', () => to.destroySoon());
    from.on('end', () => to.setTimeout(lingerMs, () => to.destroy()));
    from.pipe(to);
  }
  if (source.destroyed) target.destroy();
}
