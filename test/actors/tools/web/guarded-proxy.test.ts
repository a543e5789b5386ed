import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect as tlsConnect } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { type GuardedProxy, openGuardedProxy, type ProxyUser } from '../../../../actors/tools/web/guarded-proxy.ts';
import { webPolicy } from '../../../../actors/tools/web/web-policy.ts';
import { loopbackCertificate } from '../../../faults/certificate.ts';
import { nameServer, rulesOf } from './names.ts';

let site: Server;
let port: number;
let seen: IncomingMessage[];
let names: Record<string, string[]>;
let asked: string[];
let rules: Parameters<typeof rulesOf>[0];
let proxy: GuardedProxy;
let user: ProxyUser;
let refusals: { why: string; url: string }[];
const others: { close(): void }[] = [];

beforeEach(async () => {
  seen = [];
  refusals = [];
  site = createServer((request, response) => {
    seen.push(request);
    const { pathname } = new URL(request.url!, 'http://x');
    if (pathname === '/away') response.writeHead(302, { location: `http://inner.test:${port}/secret` }).end();
    else if (pathname === '/breaks') response.writeHead(200, { 'content-length': 100 }).write('half', () => response.destroy());
    else if (pathname === '/silent') response.writeHead(200).write('…');
    else
      text(request).then((body) => response.writeHead(200, { 'x-own': 'yes' }).end(`${request.method} ${request.url} ${body}`));
  });
  site.on('upgrade', (request, socket, head) => {
    seen.push(request);
    socket.on('error', () => {});
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    if (head.length > 0) socket.write(head);
    socket.pipe(socket);
  });
  port = await listening(site);
  names = {
    'site.test': ['127.0.0.1'],
    'inner.test': ['127.0.0.1'],
    localhost: ['127.0.0.1', '::1'],
    'both.test': ['1.1.1.1', '10.0.0.1'],
  };
  const server = nameServer(names);
  asked = server.asked;
  rules = { open: ['site.test'] };
  proxy = await openGuardedProxy(() => webPolicy(rulesOf(rules), server.lookup));
  user = proxy.user('t.0', (why, url) => refusals.push({ why, url }));
});
afterEach(async () => {
  await proxy.close();
  for (const other of [site, ...others.splice(0)]) other.close();
  site.closeAllConnections();
});

async function listening(server: Server | ReturnType<typeof createTcpServer>, host = '127.0.0.1'): Promise<number> {
  server.listen(0, host);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
const auth = ({ username, password } = user) => `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
const proxyPort = () => Number(new URL(proxy.url).port);

interface Reply {
  status: number;
  headers: IncomingMessage['headers'];
  body: string;
}
/** A request with an absolute address, as a client of a proxy makes it. */
async function get(url: string, more: { method?: string; body?: string; headers?: Record<string, string> } = {}): Promise<Reply> {
  const { method = 'GET', body, headers = { 'proxy-authorization': auth() } } = more;
  const request = httpRequest({ host: '127.0.0.1', port: proxyPort(), path: url, method, headers, agent: false });
  if (body !== undefined) request.write(body);
  request.end();
  const [reply] = (await once(request, 'response')) as [IncomingMessage];
  return { status: reply.statusCode!, headers: reply.headers, body: await text(reply) };
}
/** @returns the tunnel, or the proxy's words where it made none. */
async function tunnel(
  authority: string,
  credentials: string | null = auth(),
): Promise<{ status: number; socket: Socket; said: string }> {
  const socket = connect(proxyPort(), '127.0.0.1');
  socket.on('error', () => {});
  const login = credentials === null ? '' : `Proxy-Authorization: ${credentials}\r\n`;
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${login}\r\n`);
  const [first] = (await once(socket, 'data')) as [Buffer];
  const said = first.toString();
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(said)?.[1]), socket, said };
}
const askedOver = async (socket: Socket, words: string): Promise<string> => {
  socket.write(words);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  return answer.toString();
};

test('a request with an absolute address reaches its host, without what is about the connection alone', async () => {
  const reply = await get(`http://site.test:${port}/a?b=c`, {
    method: 'POST',
    body: 'hello',
    headers: { 'proxy-authorization': auth(), connection: 'x-hop', 'x-hop': 'no', 'x-end': 'yes', host: 'forged.test' },
  });
  expect(reply).toMatchObject({ status: 200, body: 'POST /a?b=c hello', headers: { 'x-own': 'yes' } });
  expect(seen[0]!.headers).toMatchObject({ host: `site.test:${port}`, 'x-end': 'yes' });
  expect(Object.keys(seen[0]!.headers)).not.toEqual(expect.arrayContaining(['proxy-authorization']));
  expect(Object.keys(seen[0]!.headers)).not.toEqual(expect.arrayContaining(['x-hop']));
});

test('many requests go over one connection of the client', async () => {
  const socket = connect(proxyPort(), '127.0.0.1');
  for (let i = 0; i < 30; i++) {
    const words = `GET http://site.test:${port}/${i} HTTP/1.1\r\nHost: x\r\nProxy-Authorization: ${auth()}\r\n\r\n`;
    let answer = await askedOver(socket, words);
    while (!answer.includes(`GET /${i} `)) answer += String((await once(socket, 'data'))[0]);
  }
  socket.destroy();
  expect(seen).toHaveLength(30);
});

test('a tunnel carries TLS', async () => {
  const { key, certificate } = loopbackCertificate();
  const secure = createTlsServer({ key, cert: certificate }, (_, response) => void response.end('secret'));
  others.push(secure);
  const { socket } = await tunnel(`site.test:${await listening(secure)}`);
  const inner = tlsConnect({ socket, ca: certificate, servername: 'localhost' });
  inner.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  expect(await text(inner)).toContain('secret');
});

describe('a WebSocket', () => {
  const handshake = (path: string, more = '') =>
    `GET ${path} HTTP/1.1\r\nHost: site.test\r\n${more}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n`;
  it('goes through a tunnel', async () => {
    const { socket } = await tunnel(`site.test:${port}`);
    expect(await askedOver(socket, handshake('/'))).toMatch(/^HTTP\/1\.1 101/);
    expect(await askedOver(socket, 'ping')).toBe('ping');
    socket.destroy();
  });
  it('goes by an upgrade of an absolute address', async () => {
    const socket = connect(proxyPort(), '127.0.0.1');
    const login = `Proxy-Authorization: ${auth()}\r\n`;
    expect(await askedOver(socket, handshake(`http://site.test:${port}/socket`, login))).toMatch(/^HTTP\/1\.1 101/);
    expect(seen[0]!.headers).toMatchObject({ upgrade: 'websocket', 'sec-websocket-version': '13' });
    expect(await askedOver(socket, 'ping')).toBe('ping');
    socket.destroy();
  });
  it('is refused to a closed place', async () => {
    const socket = connect(proxyPort(), '127.0.0.1');
    const login = `Proxy-Authorization: ${auth()}\r\n`;
    expect(await askedOver(socket, handshake(`http://inner.test:${port}/`, login))).toMatch(/^HTTP\/1\.1 403/);
    socket.destroy();
    expect([seen.length, refusals.length]).toEqual([0, 1]);
  });
});

const closed = [
  'localhost',
  'LOCALHOST.',
  'a.localhost',
  '127.0.0.1',
  '127.0.0.1.',
  '127.1',
  '0x7f.1',
  '2130706433',
  '[::1]',
  '[::ffff:127.0.0.1]',
];
describe.each([...closed, 'inner.test', 'both.test', '169.254.169.254', '10.0.0.1'])('%s is closed', (host) => {
  it('to a request, which is answered at once and reported', async () => {
    const reply = await get(`http://${host}:${port}/secret`);
    expect(reply.status).toBe(403);
    expect(reply.body).toMatch(/^Refused: .*web: \{ open: \[/);
    expect(refusals).toEqual([{ why: reply.body, url: new URL(`http://${host}:${port}/secret`).href }]);
    expect(seen).toEqual([]);
  });
  it('to a tunnel', async () => {
    const { status, said, socket } = await tunnel(`${host}:${port}`);
    socket.destroy();
    expect(status).toBe(403);
    expect(said).toContain('Refused: ');
    expect(refusals).toMatchObject([{ url: `${host}:${port}` }]);
  });
});

test('a redirect into a closed range leads to a refusal', async () => {
  const { headers } = await get(`http://site.test:${port}/away`);
  expect((await get(headers.location!)).status).toBe(403);
  expect(seen.map(({ url }) => url)).toEqual(['/away']);
});

test('a name is looked up once for each request, and the connection goes to the address that was checked', async () => {
  rules = { open: ['127.0.0.1/32'] };
  names['shifty.test'] = ['127.0.0.1'];
  const reply = get(`http://shifty.test:${port}/`);
  await new Promise<void>((resolve) => {
    const wait = () => (asked.length > 0 ? resolve() : setImmediate(wait));
    wait();
  });
  names['shifty.test'] = ['127.0.0.2'];
  expect((await reply).status).toBe(200);
  expect(asked).toEqual(['shifty.test']);
  expect(await get(`http://shifty.test:${port}/`)).toMatchObject({ status: 403 });
});

test('where a name has several addresses, the first that answers is taken', async () => {
  rules = { open: ['localhost'] };
  names.localhost = ['::1', '127.0.0.1'];
  expect(await get(`http://localhost:${port}/`)).toMatchObject({ status: 200 });
});

describe('credentials', () => {
  it.each([
    ['none', () => null],
    ['a wrong password', () => `Basic ${Buffer.from(`${user.username}:x`).toString('base64')}`],
    [
      'a wrong password of the right length',
      () => `Basic ${Buffer.from(`${user.username}:${'0'.repeat(48)}`).toString('base64')}`,
    ],
    ['a name that nobody has', () => `Basic ${Buffer.from('__proto__:x').toString('base64')}`],
    ['another scheme', () => 'Bearer x'],
    ['no base64', () => 'Basic ***'],
  ])('%s: the client is asked for them', async (_, credentials) => {
    const given = credentials();
    const reply = await get(`http://site.test:${port}/`, { headers: given === null ? {} : { 'proxy-authorization': given } });
    expect(reply).toMatchObject({ status: 407, headers: { 'proxy-authenticate': expect.stringContaining('Basic') } });
    const made = await tunnel(`site.test:${port}`, given);
    made.socket.destroy();
    expect([made.status, seen.length, asked.length]).toEqual([407, 0, 0]);
  });
  it('of a task that has ended are worth nothing, and those of others stay', async () => {
    const other = proxy.user('t.1', () => {});
    user.end();
    user.end();
    expect((await get(`http://site.test:${port}/`)).status).toBe(407);
    expect((await get(`http://site.test:${port}/`, { headers: { 'proxy-authorization': auth(other) } })).status).toBe(200);
  });
});

describe('with `resources: listed`', () => {
  beforeEach(() => {
    rules = { open: ['site.test', 'inner.test'], origins: [`http://site.test:${port}`], resources: 'listed' };
  });
  it('pages load from listed origins alone', async () => {
    expect((await get(`http://site.test:${port}/`)).status).toBe(200);
    const made = await tunnel(`site.test:${port}`);
    made.socket.destroy();
    expect(made.status).toBe(200);
    const reply = await get(`http://inner.test:${port}/`);
    expect(reply).toMatchObject({ status: 403, body: expect.stringContaining('web.origins') });
    expect(refusals).toHaveLength(1);
    const refused = await tunnel(`inner.test:${port}`);
    refused.socket.destroy();
    expect([refused.status, asked.includes('inner.test')]).toEqual([403, false]);
  });
  it('and from those to which the task has gone', async () => {
    user.visits(new URL(`http://inner.test:${port}/page`));
    user.visits(new URL('about:blank'));
    expect((await get(`http://inner.test:${port}/`)).status).toBe(200);
  });
});

test('a task has at most 256 connections at once, and one that ends makes room', async () => {
  const made = await Promise.all(Array.from({ length: 256 }, () => tunnel(`site.test:${port}`)));
  expect(made.every(({ status }) => status === 200)).toBe(true);
  expect(await get(`http://site.test:${port}/`)).toMatchObject({ status: 503, body: expect.stringContaining('256 connections') });
  expect(refusals).toMatchObject([{ why: expect.stringContaining('256') }]);
  const other = proxy.user('t.1', () => {});
  expect((await get(`http://site.test:${port}/`, { headers: { 'proxy-authorization': auth(other) } })).status).toBe(200);
  made[0]!.socket.destroy();
  for (let reply = { status: 503 }; reply.status !== 200; ) reply = await get(`http://site.test:${port}/`);
  for (const { socket } of made) socket.destroy();
});

test('requests that end leave no connection counted, however they end', async () => {
  const silent = createTcpServer(() => {});
  others.push(silent);
  const nobody = await listening(silent);
  silent.close();
  await once(silent, 'close');
  for (let i = 0; i < 100; i++) {
    await get(`http://site.test:${port}/breaks`).catch(() => {});
    await get(`http://site.test:${nobody}/`);
    await get(`http://nowhere.test/`);
    await get(`http://inner.test/`);
  }
  expect((await get(`http://site.test:${port}/`)).status).toBe(200);
});

test('the end of a task ends its connections, also to a server that never closes', async () => {
  const peers: Socket[] = [];
  const stubborn = createTcpServer({ allowHalfOpen: true }, (peer) => {
    peers.push(peer);
    peer.on('error', () => {});
    peer.write('hello');
  });
  others.push(stubborn);
  const { socket } = await tunnel(`site.test:${await listening(stubborn)}`);
  const silent = get(`http://site.test:${port}/silent`).catch((error) => error.code);
  while (seen.length === 0) await new Promise(setImmediate);
  const ended = once(socket, 'close');
  user.end();
  await ended;
  expect(await silent).toBe('ECONNRESET');
  const [peer] = peers;
  peer!.resume();
  if (!peer!.readableEnded) await once(peer!, 'end');
  peer!.destroy();
});

test('closing ends everything, and may be done twice', async () => {
  const { socket } = await tunnel(`site.test:${port}`);
  const ended = once(socket, 'close');
  const again = proxy.close();
  expect(proxy.close()).toBe(again);
  await again;
  await ended;
  await expect(get(`http://site.test:${port}/`)).rejects.toThrow('ECONNREFUSED');
});

test('a reply that breaks off does not look whole', async () => {
  await expect(get(`http://site.test:${port}/breaks`)).rejects.toThrow('aborted');
});

test.each([
  ['no such name', 'http://nowhere.test/', 'There is no host nowhere.test'],
  ['nobody listens', 'http://site.test:1/', 'cannot be reached (ECONNREFUSED)'],
])('where %s, the client is told at once', async (_, url, words) => {
  expect(await get(url)).toMatchObject({ status: 502, body: expect.stringContaining(words) });
  const { host, port: of } = new URL(url);
  const { status, socket } = await tunnel(of ? host : `${host}:80`);
  socket.destroy();
  expect([status, refusals]).toEqual([502, []]);
});

describe('a reply that is no HTTP costs its request alone', () => {
  const asText = (head: string) => `${head}\r\ncontent-length: 2\r\n\r\nhi`;
  it.each([
    ['a status of 0', asText('HTTP/1.1 000 x'), 502],
    ['a status below 100', asText('HTTP/1.1 099 x'), 502],
    ['control characters in the words of the status', asText('HTTP/1.1 200 a\u0001b\u007f'), 200],
    ['another protocol that nobody asked for', 'HTTP/1.1 101 x\r\nconnection: upgrade\r\nupgrade: x\r\n\r\nraw', 502],
    ['control characters in a header', asText('HTTP/1.1 200 OK\r\nx: a\u0001'), 502],
    ['two lengths', asText('HTTP/1.1 200 OK\r\ncontent-length: 3'), 502],
    ['nothing', '', 502],
  ])('%s', async (_, reply, status) => {
    const strange = createTcpServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end(reply));
    });
    others.push(strange);
    const strangePort = await listening(strange);
    expect(await get(`http://site.test:${strangePort}/`)).toMatchObject({ status });
    expect(await get(`http://site.test:${port}/next`)).toMatchObject({ status: 200 });
  });
});

describe('what is no request of a proxy', () => {
  it.each(['/', 'site.test', 'ftp://site.test/', 'https://site.test/', 'file:///etc/passwd', 'http://', '*'])(
    'address %j',
    async (url) => {
      expect((await get(url)).status).toBe(400);
    },
  );
  it.each(['site.test', ':80', 'site.test:0', 'site.test:65536', 'site.test:x', 'a@site.test:80', '[::1', 'site.test:80/x'])(
    'tunnel to %j',
    async (authority) => {
      const { status, socket } = await tunnel(authority);
      socket.destroy();
      expect(status).toBe(400);
    },
  );
  it('bytes that are no HTTP, and endless headers', async () => {
    for (const words of ['\x16\x03\x01\x02\x00', 'GET', `GET http://site.test/ HTTP/1.1\r\n${'x: y\r\n'.repeat(100_000)}`]) {
      const socket = connect(proxyPort(), '127.0.0.1');
      socket.on('error', () => {});
      socket.end(words);
      socket.resume();
      await new Promise((resolve) => socket.on('close', resolve));
    }
    expect((await get(`http://site.test:${port}/`)).status).toBe(200);
  });
});
