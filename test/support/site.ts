/** A web site on loopback: pages by their paths, and everything that was sent to it. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Answer = string | ((request: IncomingMessage, response: ServerResponse, body: string) => void);
export interface Site {
  /** `http://127.0.0.1:<port>`. */
  readonly url: string;
  /** `POST /send name=Ada`, in the order in which they came. */
  readonly sent: readonly string[];
  stop(): Promise<void>;
}

/** @param pages by path; a text is a page of HTML, and a path that is not there is a page that says so. */
export async function site(pages: Readonly<Record<string, Answer>>): Promise<Site> {
  const sent: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (data) => {
      body += data;
    });
    request.on('end', () => {
      const path = new URL(request.url!, 'http://site').pathname;
      if (request.method !== 'GET') sent.push(`${request.method} ${path} ${body}`);
      const page = pages[path];
      if (typeof page === 'function') return page(request, response, body);
      response.writeHead(page === undefined ? 404 : 200, { 'content-type': 'text/html; charset=utf-8' });
      response.end(page ?? '<h1>There is no such page</h1>');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sent,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Answers a form: the browser is led to another page, as sites do. */
export const redirected =
  (to: string): Answer =>
  (_, response) =>
    response.writeHead(303, { location: to }).end();
