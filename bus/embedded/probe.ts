/**
 * Finds out whether a NATS server answers on a port of this machine. It needs no login: a NATS server sends its INFO line first.
 */
import { connect } from 'node:net';
import { z } from 'zod';
import { codeOf } from '../../platform/errors.ts';

const Info = z.object({ server_name: z.string(), version: z.string() });

export type Answer =
  | { readonly kind: 'nats'; readonly serverName: string; readonly version: string }
  /** No program listens, or a program that is not a NATS server. */
  | { readonly kind: 'nobody' }
  /** A program accepts the connection but sends nothing. */
  | { readonly kind: 'silent' };

/** @param patienceMs a program that sends nothing for this long (ms) is `silent`. */
export function probe(port: number, patienceMs: number): Promise<Answer> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    let text = '';
    const end = (answer: Answer): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(patienceMs, () => end({ kind: 'silent' }));
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      text += chunk;
      const line = text.indexOf('\r\n');
      if (line >= 0) end(readInfo(text.slice(0, line)));
    });
    socket.on('error', (error) => end({ kind: codeOf(error) === 'ETIMEDOUT' ? 'silent' : 'nobody' }));
    socket.on('close', () => end({ kind: 'nobody' }));
  });
}

function readInfo(line: string): Answer {
  try {
    const { server_name, version } = Info.parse(JSON.parse(line.replace(/^INFO /, '')));
    return { kind: 'nats', serverName: server_name, version };
  } catch {
    return { kind: 'nobody' };
  }
}
