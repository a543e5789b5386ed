/** Attackers of the bridge, and inspectors that behave badly. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { Inspected } from '../../../bus/inspect/inspection-messages.ts';
import { Bridge, type BridgeLinks, mostInspectors } from '../../../cli/inspect/bridge.ts';
import { mostChars } from '../../../cli/inspect/replay.ts';

const at = '2026-03-01T11:00:00.000Z';
const common = { at, node: 'n', epoch: 1 };
const begins = (task: string, seq = 1): Inspected => ({
  ...{ ...common, task, seq, type: '@xstate.actor', machine: 'sub-agent', version: 3 },
  snapshot: { status: 'active', value: 'idle' },
});
const stateOf = (task: string, seq: number, text = ''): Inspected => ({
  ...{ ...common, task, seq, type: '@xstate.snapshot', event: { type: 'X' } },
  snapshot: { status: 'active', value: { running: 'thinking' }, context: { text } },
});

async function opened(options: { origins?: string[]; inspector?: URL } = {}): Promise<{ bridge: Bridge; links: BridgeLinks[] }> {
  const links: BridgeLinks[] = [];
  const { origins = [], inspector = null } = options;
  const bridge = await Bridge.open({ port: 0, origins, inspector, onLinks: (next) => links.push(next) });
  onTestFinished(() => bridge.stop());
  return { bridge, links };
}

const key = 'dGhlIHNhbXBsZSBub25jZQ==';
interface Attempt {
  readonly token?: string | null;
  readonly host?: string;
  readonly origin?: string | null;
  readonly headers?: readonly string[];
}
/** A WebSocket handshake byte by byte. @returns the status, and the connection. */
async function attempt(
  bridge: Bridge,
  { token, host, origin, headers }: Attempt = {},
): Promise<{ status: number; socket: Socket }> {
  const url = new URL(bridge.links.server);
  const given = token === undefined ? url.searchParams.get('token') : token;
  const socket = connect(Number(url.port), '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  const lines = [
    `GET /${given === null ? '' : `?token=${given}`} HTTP/1.1`,
    `Host: ${host ?? url.host}`,
    ...(origin ? [`Origin: ${origin}`] : []),
    ...(headers ?? ['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13', `Sec-WebSocket-Key: ${key}`]),
  ];
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  const [first] = (await once(socket, 'data')) as [Buffer];
  return { status: Number(/^HTTP\/1.1 (\d+)/.exec(first.toString('latin1'))?.[1]), socket };
}
const status = async (bridge: Bridge, options: Attempt) => (await attempt(bridge, options)).status;

test('one token lets one inspector in, whichever program it is', async () => {
  const { bridge, links } = await opened();
  const old = new URL(bridge.links.server).searchParams.get('token');
  expect(await status(bridge, {})).toBe(101);
  expect(await status(bridge, { token: old })).toBe(401);
  expect(links).toEqual([bridge.links]);
  expect(await status(bridge, {})).toBe(101);
});

test.each<[string, Attempt]>([
  ['no token', { token: null }],
  ['an empty token', { token: '' }],
  ['a guessed token', { token: 'A'.repeat(43) }],
  ['a long token', { token: 'A'.repeat(7_000) }],
  ['two tokens', { token: 'x&token=y' }],
])('%s opens nothing, and the token stays as it was', async (_, options) => {
  const { bridge } = await opened();
  const { server } = bridge.links;
  expect(await status(bridge, options)).toBe(401);
  expect(bridge.links.server).toBe(server);
});

test.each([
  ['another origin', { origin: 'https://evil.example' }, 403],
  ['an origin that only begins like a named one', { origin: 'https://good.example.evil.example' }, 403],
  ['a page without an origin, as in a sandboxed frame', { origin: 'null' }, 403],
  ['a name that points to this machine (DNS rebinding)', { host: 'evil.example' }, 421],
  ['that name with the port', { host: 'evil.example:1' }, 421],
  ['no upgrade', { headers: ['X: y'] }, 404],
  [
    'another version of the protocol',
    { headers: ['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 7', `Sec-WebSocket-Key: ${key}`] },
    400,
  ],
  ['no key', { headers: ['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13'] }, 400],
])('%s is refused also with the right token, which stays unused', async (_, options, expected) => {
  const { bridge } = await opened({ origins: ['https://good.example'] });
  const { server } = bridge.links;
  expect(await status(bridge, options)).toBe(expected);
  expect(bridge.links.server).toBe(server);
  expect(await status(bridge, { origin: 'https://good.example' })).toBe(101);
});

test('it listens on loopback alone, and there is no page unless the inspector was asked for', async () => {
  const { bridge } = await opened();
  const { port } = new URL(bridge.links.server);
  const reply = await fetch(`http://127.0.0.1:${port}/${new URL(bridge.links.server).search}`);
  expect(reply.status).toBe(404);
  expect(bridge.links.page).toBeUndefined();
});

test('the page opens once, lets nobody frame it and frames the inspector alone', async () => {
  const { bridge } = await opened({ inspector: new URL('https://inspector.example/inspect') });
  const { page } = bridge.links;
  const first = await fetch(page!);
  expect(first.status).toBe(200);
  const policy = first.headers.get('content-security-policy')!;
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).toContain('frame-src https://inspector.example;');
  expect(policy).not.toMatch(/unsafe|\*/);
  expect((await fetch(page!)).status).toBe(401);
  expect((await fetch(bridge.links.page!, { headers: { origin: 'https://evil.example' } })).status).toBe(403);
});

/** The texts that an inspector gets. */
function inspector(bridge: Bridge): { texts: string[]; socket: WebSocket; got: (count: number) => Promise<void> } {
  const texts: string[] = [];
  const socket = new WebSocket(bridge.links.server);
  onTestFinished(() => socket.close());
  let news = Promise.withResolvers<void>();
  socket.onmessage = ({ data }) => {
    texts.push(String(data));
    news.resolve();
    news = Promise.withResolvers();
  };
  return {
    texts,
    socket,
    got: async (count) => {
      while (texts.length < count) await news.promise;
    },
  };
}

test('an inspector gets what happened before it attached, actors first, then what happens', async () => {
  const { bridge } = await opened();
  bridge.remember(stateOf('k3xq.1', 2));
  bridge.remember(begins('k3xq.0'));
  bridge.push(begins('k3xq.1'));
  const { texts, got } = inspector(bridge);
  await got(3);
  bridge.push(stateOf('k3xq.1', 3));
  await got(4);
  const seen = texts.map((text) => JSON.parse(text));
  expect(seen.map(({ type, sessionId }) => `${type} ${sessionId}`)).toEqual([
    '@xstate.actor k3xq.0',
    '@xstate.actor k3xq.1',
    '@xstate.snapshot k3xq.1',
    '@xstate.snapshot k3xq.1',
  ]);
  expect(seen[1]).toMatchObject({ parentId: 'k3xq.0', rootId: 'k3xq.0', _version: '0.7.2' });
  expect(JSON.parse(seen[1].definition)).toMatchObject({ id: 'sub-agent' });
});

test('long and short messages arrive whole, whatever characters they have', async () => {
  const { bridge } = await opened();
  const { socket, texts, got } = inspector(bridge);
  await once(socket as never, 'open');
  const long = [3, 125, 126, 65_535, 70_000].map((length) => `é\u{1f600}\ud800${'x'.repeat(length)}`);
  for (const [i, text] of long.entries()) bridge.push(stateOf('k3xq.1', i, text));
  await got(long.length);
  expect(texts.map((text) => JSON.parse(text).snapshot.context.text.length)).toEqual(long.map(({ length }) => length));
});

test('hundreds of actors are sampled, and of each the last state arrives', async () => {
  const { bridge } = await opened();
  const { socket, texts, got } = inspector(bridge);
  await once(socket as never, 'open');
  const tasks = Array.from({ length: 300 }, (_, i) => `k3xq.${i + 1}`);
  for (let round = 0; round < 10; round++) for (const task of tasks) bridge.push(stateOf(task, round, `round ${round}`));
  await got(1_000);
  const last = () =>
    new Map(texts.map((text) => JSON.parse(text)).map(({ sessionId, snapshot }) => [sessionId, snapshot.context.text]));
  await expect.poll(() => [...last().values()].filter((text) => text === 'round 9').length, { timeout: 15_000 }).toBe(300);
  expect(texts.length).toBeLessThan(1_000 + 300 + 50);
});

test('of a flood of messages the latest are kept within a bound', async () => {
  const { bridge } = await opened();
  const text = 'x'.repeat(20_000);
  for (let i = 0; i < 1_000; i++) bridge.remember(stateOf(`k3xq.${i % 50}`, i, text));
  const { texts, got } = inspector(bridge);
  await got(1);
  await expect.poll(() => texts.some((each) => JSON.parse(each).sessionId === 'k3xq.49')).toBe(true);
  expect(texts.join('').length).toBeLessThan(mostChars + 100_000);
});

test('an inspector that never reads does not stop the others, and the bridge ends all the same', async () => {
  const { bridge } = await opened();
  const { socket } = await attempt(bridge);
  socket.pause();
  const { texts, socket: reader } = inspector(bridge);
  await once(reader as never, 'open');
  for (let i = 0; i < 900; i++) bridge.push(stateOf('k3xq.1', i, 'x'.repeat(30_000)));
  await expect.poll(() => texts.length, { timeout: 15_000 }).toBeGreaterThan(100);
  await bridge.stop();
});

test('inspectors beyond a few are refused, and the token stays unused', async () => {
  const { bridge } = await opened();
  const sockets = [];
  for (let i = 0; i < mostInspectors; i++) sockets.push((await attempt(bridge)).socket);
  const { server } = bridge.links;
  expect(await status(bridge, {})).toBe(503);
  expect(bridge.links.server).toBe(server);
  sockets[0]!.destroy();
  await expect.poll(() => status(bridge, {})).toBe(101);
});

test.each([
  ['a frame without a mask', Buffer.from([0x81, 0x02, 0x61, 0x62])],
  ['a frame of many bytes', Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 1, 2, 3, 4])],
  ['a frame longer than any inspector sends', Buffer.from([0x81, 0xfe, 0xff, 0xff, 1, 2, 3, 4])],
  ['a part of a frame of control', Buffer.from([0x09, 0x80, 1, 2, 3, 4])],
  ['a frame of control that is too long', Buffer.from([0x89, 0xfe, 0, 126, 1, 2, 3, 4])],
  ['a frame that says it is compressed', Buffer.from([0xc1, 0x80, 1, 2, 3, 4])],
  ['good-bye', Buffer.from([0x88, 0x80, 1, 2, 3, 4])],
])('an inspector that sends %s is let go', async (_, bytes) => {
  const { bridge } = await opened();
  const { socket } = await attempt(bridge);
  socket.write(bytes);
  await once(socket.resume(), 'close');
});

test('a ping is answered, byte by byte too', async () => {
  const { bridge } = await opened();
  const { socket } = await attempt(bridge);
  const replied = once(socket, 'data');
  for (const byte of [0x89, 0x82, 1, 2, 3, 4, 0x61 ^ 1, 0x62 ^ 2]) socket.write(Buffer.from([byte]));
  const [pong] = (await replied) as [Buffer];
  expect([...pong]).toEqual([0x8a, 0x02, 0x61, 0x62]);
});

test('an inspector that pings and does not read is let go', async () => {
  const { bridge } = await opened();
  const { socket } = await attempt(bridge);
  socket.pause();
  // The server ends the connection while there is something to read, which is an error here.
  socket.on('error', () => {});
  const gone = new Promise((resolve) => socket.once('close', resolve));
  const pings = Buffer.concat(Array.from({ length: 1_000 }, () => Buffer.from([0x89, 0xfd, 1, 2, 3, 4, ...Array(125).fill(1)])));
  for (let sent = 0; sent < 600 && !socket.destroyed; sent++)
    if (!socket.write(pings)) await Promise.race([once(socket, 'drain').catch(() => {}), gone]);
  await gone;
});
