/** The server of a console against those who should not get in, over plain HTTP. */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { wsconnect } from '@nats-io/nats-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { CrewSession } from '../../../actors/node/join.ts';
import { startService } from '../../../bus/api-service.ts';
import { readPageUsers } from '../../../bus/embedded/page-users-file.ts';
import { serverPaths } from '../../../bus/embedded/server-record.ts';
import { readState, stateSubject } from '../../../bus/state/state-store.ts';
import { openLink } from '../../../cli/console/open-link.ts';
import { sessionMs, unlockMs } from '../../../cli/console/sessions.ts';
import { type ConsoleInTest, consoleFor } from '../../support/console-page.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';

let crew: TestCrew;
let joined: CrewSession;
let console: ConsoleInTest;
let task: string;

beforeAll(async () => {
  crew = await testCrew();
  joined = await crew.join();
  task = await joined.crew.dispatch({ type: 'reasoning', instruction: 'Nobody works on this' });
});
afterAll(() => crew.stop());
beforeEach(async () => {
  console = await consoleFor(joined);
});
afterEach(() => console.close());

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}
interface Asked {
  readonly body?: unknown;
  readonly raw?: string;
  readonly headers?: Record<string, string>;
}

function ask(method: string, path: string, { body, raw, headers = {} }: Asked = {}): Promise<Answer> {
  const { port, host, origin } = new URL(console.url);
  const sent = raw ?? (body === undefined ? '' : JSON.stringify(body));
  const all = { host, ...(method !== 'GET' && { origin, 'content-type': 'application/json' }), ...headers };
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, method, path, headers: all }, async (response) => {
      let text = '';
      for await (const piece of response.setEncoding('utf8')) text += piece;
      resolve({ status: response.statusCode!, headers: response.headers, text });
    });
    asked.on('error', reject).end(sent);
  });
}

const token = (): string => new URL(console.link).hash.replace('#open=', '');
const open = (with_ = token()) => ask('POST', '/session', { body: { token: with_ } });
/** The Cookie header of a session that was opened by the link. */
async function login(): Promise<Record<string, string>> {
  const { headers } = await open();
  return { cookie: headers['set-cookie']![0]!.split(';')[0]! };
}
const steer = { kind: 'steer', message: { type: 'steer', text: 'hello' } };
const order = (headers: Record<string, string>, body: object = { ...steer, task }) => ask('POST', '/order', { body, headers });
const codeIn = ({ text }: Answer): string => JSON.parse(text).code;

describe('the link', () => {
  test('opens one session, in a cookie that no script reads and no other site sends', async () => {
    const first = await open();
    expect(first.status).toBe(204);
    expect(first.headers['set-cookie']![0]).toMatch(/; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43200$/);
    const second = await open();
    expect([second.status, second.headers['set-cookie']]).toEqual([401, undefined]);
  });

  test('lets nobody in by guesses, and after ten of them not even its owner', async () => {
    const near = `${token().slice(0, -1)}${token().endsWith('A') ? 'B' : 'A'}`;
    for (const guess of [near, '', token().toLowerCase(), ...Array.from({ length: 7 }, (_, n) => `guess-${n}`)])
      expect((await open(guess)).status).toBe(401);
    const late = await open();
    expect([late.status, late.headers['set-cookie']]).toEqual([401, undefined]);
    expect(console.notes.join()).toMatch(/Ten wrong links/);
  });
});

describe('without a session', () => {
  test.each([
    ['GET', '/session'],
    ['POST', '/access'],
    ['POST', '/sign'],
    ['POST', '/unlock'],
    ['POST', '/lock'],
    ['POST', '/order'],
    ['GET', '/../../etc/passwd'],
    ['GET', '/page/main.tsx'],
    ['DELETE', '/session'],
  ])('%s %s is refused', async (method, path) => {
    const made = { cookie: `${(await login()).cookie!.split('=')[0]}=${'A'.repeat(43)}` };
    for (const headers of [{}, made]) {
      const answer = await ask(method, path, { headers, ...(method === 'POST' && { body: {} }) });
      expect([answer.status, codeIn(answer)]).toEqual([401, 'console-login']);
    }
  });

  test('the page itself is served, with a policy that lets it reach nothing but the console and the bus', async () => {
    const page = await ask('GET', '/');
    expect(page.status).toBe(200);
    expect(page.headers['content-security-policy']).toMatch(
      /^default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; worker-src 'self'; connect-src 'self' ws:\/\/127\.0\.0\.1:\d+; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'$/,
    );
    expect(page.headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'x-frame-options': 'DENY',
      'cache-control': 'no-store',
    });
    expect(page.text).not.toMatch(/<style|<script(?![^>]*src=)| on\w+=|https?:\/\//);
  });
});

test('a request that does not name the console as its host is refused, whatever it asks for', async () => {
  const headers = await login();
  for (const host of ['attacker.example', `attacker.example:${new URL(console.url).port}`, '127.0.0.1', '127.0.0.1:1'])
    for (const path of ['/', '/session']) expect((await ask('GET', path, { headers: { ...headers, host } })).status).toBe(421);
  const { port } = new URL(console.url);
  expect((await ask('GET', '/session', { headers: { ...headers, host: `localhost:${port}` } })).status).toBe(200);
});

test('a request that another origin has sent is refused, also with the cookie', async () => {
  const headers = await login();
  const { port } = new URL(console.url);
  for (const origin of ['http://attacker.example', `http://127.0.0.1:${Number(port) + 1}`, `http://localhost:${port}`, 'null'])
    expect((await ask('POST', '/unlock', { headers: { ...headers, origin } })).status).toBe(403);
  const elsewhere = { ...headers, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' };
  expect((await ask('GET', '/page.js', { headers: elsewhere })).status).toBe(403);
  const opened = { ...headers, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
  expect((await ask('GET', '/', { headers: opened })).status).toBe(200);
  expect((await ask('GET', '/', { headers: { ...opened, 'sec-fetch-dest': 'iframe' } })).status).toBe(403);
  expect((await order(headers)).status).toBe(423);
});

test('an order needs an unlocked session; it locks by itself, and at once when it is told to', async () => {
  const headers = await login();
  const seq = async () => (await joined.bus.jsm.streams.info(joined.bus.subjects.logStream)).state.last_seq;
  const before = await seq();
  expect(codeIn(await order(headers))).toBe('console-locked');
  const { unlockedUntil } = JSON.parse((await ask('POST', '/unlock', { headers })).text);
  expect(Date.parse(unlockedUntil)).toBeGreaterThan(Date.now());
  expect(await seq()).toBe(before);
  const sent = await order(headers);
  expect([sent.status, JSON.parse(sent.text)]).toMatchObject([200, { kind: 'steer', seq: before + 1 }]);
  console.later(unlockMs + 1);
  expect(codeIn(await order(headers))).toBe('console-locked');
  await ask('POST', '/unlock', { headers });
  await ask('POST', '/lock', { headers });
  expect(codeIn(await order(headers))).toBe('console-locked');
  expect(JSON.parse((await ask('GET', '/session', { headers })).text).unlockedUntil).toBeNull();
});

test('a session ends after twelve hours', async () => {
  const headers = await login();
  expect((await ask('GET', '/session', { headers })).status).toBe(200);
  console.later(sessionMs + 1);
  expect((await ask('GET', '/session', { headers })).status).toBe(401);
  expect((await ask('POST', '/access', { headers, body: {} })).status).toBe(401);
});

const accessOf = async (headers: Record<string, string>, instead?: string) =>
  JSON.parse((await ask('POST', '/access', { headers, body: { instead } })).text);

test('a page has no node write a reply where it may not write itself', async () => {
  const { bus } = joined;
  const nobody = { menu: () => [], machine: () => ({}) as never, roster: () => ({}) as never, report: () => ({}) as never };
  const service = await startService(bus, { crew: joined.crew, node: 'service', ...nobody });
  const { url, member, login: given } = await accessOf(await login());
  const page = await wsconnect({ servers: url, ...given, inboxPrefix: `_INBOX.${member}`, reconnect: false });
  const { subjects } = bus;
  const messages = async () => (await bus.jsm.streams.info(subjects.logStream)).state;
  const [before, record] = [await messages(), await readState(bus, task)];
  const places = [`$JS.API.STREAM.PURGE.${subjects.logStream}`, subjects.of(task, 'steering'), stateSubject(bus, task)];
  const body = JSON.stringify({ task });
  for (const reply of places) page.publish(`${subjects.api()}.status`, body, { reply });
  for (const _ of places) await page.request(`${subjects.api()}.status`, body);
  expect(await messages()).toEqual(before);
  expect(await readState(bus, task)).toEqual(record);
  await page.close();
  await service.stop();
});

test('an access that is replaced twice takes no other one along', async () => {
  const headers = await login();
  const late: (() => void)[] = [];
  const timer = setTimeout;
  vi.spyOn(globalThis, 'setTimeout').mockImplementation(((run: () => void, ms?: number) => {
    if (ms === 20_000) late.push(run);
    return timer(ms === 20_000 ? () => {} : run, ms === 20_000 ? 0 : ms);
  }) as typeof setTimeout);
  const first = await accessOf(headers);
  const next = [await accessOf(headers, first.member), await accessOf(headers, first.member)];
  vi.restoreAllMocks();
  expect(late).toHaveLength(2);
  for (const run of late) run();
  const names = () => readPageUsers(serverPaths(joined.folders)).map(({ name }) => name);
  await expect.poll(names).not.toContain(first.member);
  next.push(await accessOf(headers));
  expect(names()).toEqual(expect.arrayContaining(next.map(({ member }) => member)));
});

test.each([
  ['no JSON', { raw: '{' }, 400],
  ['no object', { raw: '7' }, 400],
  ['a form', { raw: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } }, 400],
  ['2 MB', { raw: `{"a":"${'x'.repeat(2_000_000)}"}` }, 413],
])('a body that is %s is refused in words', async (_what, asked, status) => {
  const headers = await login();
  await ask('POST', '/unlock', { headers });
  const answer = await ask('POST', '/order', { ...asked, headers: { ...headers, ...('headers' in asked && asked.headers) } });
  expect(answer.status).toBe(status);
  expect(JSON.parse(answer.text)).toMatchObject({ message: expect.any(String), hint: expect.any(String) });
});

test.each([
  ['a verb that there is not', { kind: 'purge' }, 'bad-request'],
  ['an unknown field of a message', { ...steer, message: { type: 'steer', text: 'x', proof: 'y' } }, 'bad-request'],
  ['a task that is none', { ...steer, task: '../../x' }, 'bad-request'],
  ['a task that there is not', { ...steer, task: 'zzzz.0' }, 'unknown-task'],
  ['a limit for a new goal', { kind: 'dispatch', spec: { type: 'reasoning', instruction: 'x', workspace: '/' } }, 'bad-request'],
])('an order with %s is refused', async (_what, body, code) => {
  const headers = await login();
  await ask('POST', '/unlock', { headers });
  expect(codeIn(await order(headers, { ...(body.kind === 'steer' && { task }), ...body }))).toBe(code);
});

test.skipIf(process.platform !== 'linux')(
  'the browser is given a file that only its user can read, and not the link',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'cox-open-'));
    const given = join(folder, 'given');
    // The name is there as soon as the file is, and then the file is whole.
    const script = `#!/bin/sh\necho "$1" > ${given}.draft && mv ${given}.draft ${given}\n`;
    await writeFile(join(folder, 'xdg-open'), script, { mode: 0o755 });
    vi.stubEnv('PATH', `${folder}:${process.env.PATH}`);
    const forget = openLink('http://127.0.0.1:1/#open=secret', folder);
    vi.unstubAllEnvs();
    await expect.poll(() => existsSync(given), { timeout: 20_000 }).toBe(true);
    const url = (await readFile(given, 'utf8')).trim();
    expect(url).toMatch(/^file:/);
    expect(url).not.toContain('secret');
    expect((await stat(fileURLToPath(url))).mode & 0o077).toBe(0);
    expect(await readFile(fileURLToPath(url), 'utf8')).toContain('url=http://127.0.0.1:1/#open=secret"');
    forget();
    expect(existsSync(fileURLToPath(url))).toBe(false);
    await rm(folder, { recursive: true });
  },
);

test('a port that is taken is an error that says so', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as AddressInfo;
  await expect(consoleFor(joined, { port })).rejects.toMatchObject({
    code: 'port-taken',
    message: expect.stringContaining(`${port}`),
    hint: expect.stringContaining('--port'),
  });
  other.close();
});
