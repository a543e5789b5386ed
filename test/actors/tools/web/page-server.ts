/** A site of the web under test, on loopback, and a tool that reads it. Its names are looked up here and nowhere else. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { MadeArtifact, Tool, ToolContext, ToolOutput } from '../../../../actors/tools/tool.ts';
import type { FetchPageLimits } from '../../../../actors/tools/web/fetch-page.ts';
import { PageReader, type PageReaderLimits } from '../../../../actors/tools/web/page-reader.ts';
import { livePolicy } from '../../../../actors/tools/web/web-policy.ts';
import { type WebTools, webTools } from '../../../../actors/tools/web/web-tools.ts';
import { nameServer, rulesOf } from './names.ts';

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export class PageServer {
  readonly asked: string[] = [];
  readonly requests: IncomingMessage[] = [];
  readonly pages = new Map<string, Answer>();
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<PageServer> {
    const server = createServer();
    const site = new PageServer(server);
    server.on('request', (request, response) => {
      site.requests.push(request);
      site.asked.push(`${request.headers.host?.split(':')[0]}${request.url}`);
      const answer = site.pages.get(request.url!) ?? site.pages.get(new URL(request.url!, 'http://x').pathname);
      if (answer) answer(request, response);
      else response.writeHead(404).end('nothing here');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return site;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }
  at(path: string, host = 'site.test'): string {
    return `http://${host}:${this.port}${path}`;
  }
  html(path: string, body: string, type = 'text/html; charset=utf-8'): void {
    this.bytes(path, Buffer.from(body), { 'content-type': type });
  }
  bytes(path: string, body: Uint8Array, headers: Record<string, string> = {}): void {
    this.pages.set(path, (_, response) => response.writeHead(200, headers).end(body));
  }
  redirect(path: string, location: string, status = 302): void {
    this.pages.set(path, (_, response) => response.writeHead(status, { location }).end());
  }
  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

export interface Visitor {
  readonly tool: Tool;
  readonly reader: PageReader;
  readonly lookedUp: string[];
  readonly stored: { name: string; type: string; bytes: Uint8Array }[];
  rules: Parameters<typeof rulesOf>[0];
  fetch(url: string, more?: object): Promise<ToolOutput>;
  /** The message of the error that it fails with. */
  fails(url: string, more?: object): Promise<string>;
  preview(url: string, task?: string): ReturnType<NonNullable<Tool['preview']>>;
  context(more?: Partial<ToolContext>): ToolContext;
  close(): Promise<void>;
}

/** By default it may go everywhere unasked, and `site.test` and `other.test` are open. */
export function visitor(limits: FetchPageLimits = {}, reading: PageReaderLimits = {}): Visitor {
  const names = {
    'site.test': ['127.0.0.1'],
    'other.test': ['127.0.0.1'],
    'inner.test': ['127.0.0.1'],
    localhost: ['127.0.0.1', '::1'],
  };
  const server = nameServer(names);
  const reader = new PageReader(reading);
  const stored: Visitor['stored'] = [];
  let current = rulesOf({});
  let given: Visitor['rules'];
  const web: WebTools = webTools({ policy: livePolicy(() => current, server.lookup), limits, reader });
  const tool = web.tools[0]!;
  const context = (more: Partial<ToolContext> = {}): ToolContext => ({
    ...{ task: 't.0', workspace: '/', signal: new AbortController().signal, idempotencyKey: 't.0:c' },
    store: async ({ name = '', type = '', bytes }) => {
      stored.push({ name, type, bytes });
      return { ref: `t.0/c/made-${stored.length - 1}`, name, type, bytes: bytes.length, sha256: '' } as MadeArtifact;
    },
    ...more,
  });
  const it: Visitor = {
    ...{ tool, reader, lookedUp: server.asked, stored, context },
    get rules() {
      return given;
    },
    set rules(next) {
      given = next;
      current = rulesOf(next);
    },
    fetch: (url, more = {}) => tool.run(tool.args.parse({ url, ...more }), context()),
    fails: (url, more = {}) =>
      it.fetch(url, more).then(
        ({ text }) => {
          throw new Error(`it did not fail: ${text}`);
        },
        (error: Error) => error.message,
      ),
    preview: (url, task = 't.0') => tool.preview!(tool.args.parse({ url }), context({ task })),
    close: () => web.close(),
  };
  it.rules = { open: ['site.test', 'other.test'], on: { leave: 'allow' } };
  return it;
}
