/** A web site on loopback whose pages misbehave, each in its own way. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Site {
  readonly url: string;
  readonly port: number;
  /** `GET /path` of each request. */
  readonly requests: string[];
  /** The `cookie` header of the last request for a page. */
  cookie(): string;
  stop(): Promise<void>;
}

const pages: Readonly<Record<string, string>> = {
  '/': '<title>Home</title><h1>Home</h1><a href="/form">form</a>',
  '/form': '<title>Form</title><label>Name <input name=name></label><button>Send</button>',
  '/login': '<title>In</title><script>document.cookie = "sid=s3cret"; localStorage.setItem("theme", "dark")</script>',
  '/dialogs':
    '<title>Dialogs</title><button onclick="document.title = [confirm(`sure?`), prompt(`name?`)].join()">ask</button><script>alert("hello")</script>',
  '/endless-dialogs': '<title>Trap</title><button onclick="for (;;) alert(1)">go</button>',
  '/stay': '<title>Stay</title><input id=i><script>onbeforeunload = (e) => { e.preventDefault(); return "no" }</script>',
  '/popup': '<title>Opener</title><button onclick="window.open(`/form`)">open</button>',
  '/storm':
    '<title>Storm</title><button onclick="setInterval(() => window.open(`/form`), 1); for (let i = 0; i < 30; i++) window.open(`/form`)">go</button>',
  '/downloads': '<title>Files</title><a id=small href=/small.csv>small</a><a id=endless href=/endless.bin>endless</a>',
  '/upload': '<title>Upload</title><input type=file id=f>',
  // A synchronous request tells the test that the loop begins.
  '/spin':
    '<title>Spin</title><button onclick="const r = new XMLHttpRequest(); r.open(`GET`, `/spinning`, false); r.send(); for (;;);">spin</button>',
  '/spins': '<title>Spins</title><iframe srcdoc="<script>for (;;);</script>"></iframe>',
  '/hungry':
    '<title>Hungry</title><button onclick="setTimeout(() => { const kept = []; for (;;) kept.push(new Array(1e6).fill({}).map((_, i) => ({ i }))); })">eat</button>',
  '/permissions':
    '<title>…</title><script>navigator.geolocation.getCurrentPosition(() => { document.title = "here" }, () => { document.title = "denied" })</script>',
  '/worker': `<title>…</title><script>navigator.serviceWorker.register("/sw.js").finally(() => { document.title = "asked" })</script>`,
};

export async function openSite(): Promise<Site> {
  const requests: string[] = [];
  let cookie = '';
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://site');
    requests.push(`${request.method} ${pathname}`);
    const page = pages[pathname];
    if (page !== undefined) {
      cookie = request.headers.cookie ?? '';
      return void response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(`<!doctype html>${page}`);
    }
    if (pathname === '/small.csv') return void attached(response, 'small.csv').end('a,b\n1,2\n');
    if (pathname === '/endless.bin') return void endless(attached(response, 'endless.bin'), Buffer.alloc(4_000_000));
    if (pathname === '/endless.html')
      return void endless(response.writeHead(200, { 'content-type': 'text/html' }), Buffer.from(`<p>${'x'.repeat(1_000)}`), 50);
    if (pathname === '/huge.html') return void response.writeHead(200, { 'content-type': 'text/html' }).end(huge());
    if (pathname === '/silent') return;
    if (pathname === '/away') return void response.writeHead(302, { location: searchParams.get('to') ?? '/' }).end();
    if (pathname === '/sw.js') return void response.writeHead(200, { 'content-type': 'text/javascript' }).end('');
    response.writeHead(404, { 'content-type': 'text/html' }).end('<title>None</title>');
  };
  const server = createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    cookie: () => cookie,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const attached = (response: ServerResponse, name: string): ServerResponse =>
  response.writeHead(200, {
    'content-type': 'application/octet-stream',
    'content-disposition': `attachment; filename="${name}"`,
  });

/** Sends the piece again and again, as fast as it is taken, or every `everyMs`. */
function endless(response: ServerResponse, piece: Buffer, everyMs = 0): void {
  const send = () => {
    if (response.destroyed) return;
    response.write(piece, () => (everyMs > 0 ? setTimeout(send, everyMs) : setImmediate(send)));
  };
  send();
}

/** 50 MB of paragraphs. */
const huge = (): string => `<!doctype html><title>Huge</title>${`<p>${'word '.repeat(2_000)}</p>`.repeat(5_000)}`;
