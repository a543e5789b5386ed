/** A real HTTP server for one file, with ranges, that can break off. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FileServer {
  readonly url: string;
  /** The `range` header of each request, or null. */
  readonly ranges: (string | null)[];
  content: Buffer;
  /** Cuts the connection after this many bytes of the body. */
  breakAfter: number | null;
  knowsRanges: boolean;
  stop(): Promise<void>;
}

export async function serveFile(content: Buffer): Promise<FileServer> {
  const state = { content, breakAfter: null as number | null, knowsRanges: true, ranges: [] as (string | null)[] };
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const range = request.headers.range ?? null;
    state.ranges.push(range);
    const from = state.knowsRanges && range ? Number(/^bytes=(\d+)-$/.exec(range)?.[1]) : 0;
    const body = state.content.subarray(from);
    const headers = {
      'content-length': body.length,
      'content-range': `bytes ${from}-${state.content.length - 1}/${state.content.length}`,
    };
    response.writeHead(from > 0 ? 206 : 200, headers);
    if (state.breakAfter === null) response.end(body);
    else response.write(body.subarray(0, state.breakAfter), () => response.destroy());
  };
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return Object.assign(state, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/file`, stop });
}
