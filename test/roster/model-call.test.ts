import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LLMock } from '@copilotkit/aimock';
import { afterEach, expect, test } from 'vitest';
import {
  delta,
  failureOf,
  never,
  oneBackend,
  type Reply,
  replyOf,
  rig,
  type ScriptedServer,
  scriptedServer,
  usageChunk,
  user,
} from './rig.ts';

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});
async function mock(): Promise<LLMock> {
  const server = new LLMock({ port: 0, logLevel: 'silent' });
  await server.start();
  stops.push(() => server.stop());
  return server;
}
async function scripted(script: Parameters<typeof scriptedServer>[0]): Promise<ScriptedServer> {
  const server = await scriptedServer(script);
  stops.push(() => server.stop());
  return server;
}
function open(yaml: string, more: Parameters<typeof rig>[1] = {}): ReturnType<typeof rig> {
  const made = rig(yaml, more);
  stops.push(() => made.backends.stop());
  return made;
}
const stream = (...chunks: (object | string)[]): Reply => ({ chunks });
const tools = [
  { name: 'read_file', description: 'Reads a file.', parameters: { type: 'object', properties: { path: { type: 'string' } } } },
];

test('a text comes in pieces and then as a whole, with usage and cost', async () => {
  const server = await mock();
  server.onMessage(
    /hello/,
    { content: 'Hi there, operator!', usage: { prompt_tokens: 1000, completion_tokens: 500 } },
    { chunkSize: 4 },
  );
  const { backends } = open(oneBackend(server.url, 'cost: { input: 2, output: 10 }'));
  const { said, reply } = await replyOf(backends.call('main', user('hello'), never));
  expect(said.length).toBeGreaterThan(2);
  expect(said.join('')).toBe('Hi there, operator!');
  expect(reply).toEqual({
    type: 'replied',
    text: 'Hi there, operator!',
    calls: [],
    usage: { inputTokens: 1000, outputTokens: 500, costUsd: 0.007 },
    finish: 'stop',
  });
});

test('arguments that stream in pieces are joined', async () => {
  const server = await mock();
  server.onMessage(
    /read/,
    { toolCalls: [{ name: 'read_file', arguments: '{"path":"a/rather/long/path.txt"}', id: 'call_9' }] },
    { chunkSize: 3 },
  );
  const { backends } = open(oneBackend(server.url));
  const { said, reply } = await replyOf(backends.call('main', { ...user('read it'), tools }, never));
  expect(said).toEqual([]);
  expect(reply.calls).toEqual([{ id: 'call_9', tool: 'read_file', args: { path: 'a/rather/long/path.txt' } }]);
  expect(reply.finish).toBe('tools');
  expect(server.getLastRequest()?.body).toMatchObject({ stream: true, stream_options: { include_usage: true } });
});

test('calls without an id, or with one index for all, stay apart and get ids of their own', async () => {
  const call = (name: string, path: string) => ({
    index: 0,
    type: 'function',
    function: { name, arguments: JSON.stringify({ path }) },
  });
  const server = await scripted(() =>
    stream(delta({ tool_calls: [call('read_file', 'a')] }), delta({ tool_calls: [call('read_file', 'b')] }), delta({}, 'stop')),
  );
  const { backends } = open(oneBackend(server.url));
  const { reply } = await replyOf(backends.call('main', { ...user('x'), tools }, never));
  expect(reply.calls.map((it) => it.args)).toEqual([{ path: 'a' }, { path: 'b' }]);
  expect(new Set(reply.calls.map((it) => it.id)).size).toBe(2);
  expect(reply.finish).toBe('tools');
});

test('two calls with the same id get different ones', async () => {
  const call = (index: number) => ({ index, id: 'same', type: 'function', function: { name: 'read_file', arguments: '{}' } });
  const server = await scripted(() => stream(delta({ tool_calls: [call(0), call(1)] }), delta({}, 'tool_calls')));
  const { backends } = open(oneBackend(server.url));
  const { reply } = await replyOf(backends.call('main', { ...user('x'), tools }, never));
  expect(new Set(reply.calls.map((it) => it.id)).size).toBe(2);
});

test('cut-off arguments come as the raw string, and the reply says that it was cut', async () => {
  const cut = {
    index: 0,
    id: 'c1',
    type: 'function',
    function: { name: 'write_file', arguments: '{"path":"a","text":"half of' },
  };
  const server = await scripted(() => stream(delta({ tool_calls: [cut] }), delta({}, 'length')));
  const { backends } = open(oneBackend(server.url));
  const { reply } = await replyOf(backends.call('main', { ...user('x'), tools }, never));
  expect(reply.calls).toEqual([{ id: 'c1', tool: 'write_file', args: '{"path":"a","text":"half of' }]);
  expect(reply.finish).toBe('length');
});

test.each([301, 302, 303, 307, 308])(
  'a redirect %i is not followed: the prompt stays with the host that the roster names',
  async (status) => {
    const asked: string[] = [];
    const other = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.end('{}');
    }).listen(0, '127.0.0.1');
    await once(other, 'listening');
    const elsewhere = `http://127.0.0.1:${(other.address() as AddressInfo).port}/v1/chat/completions`;
    const server = createServer((_, response) => response.writeHead(status, { location: elsewhere }).end()).listen(
      0,
      '127.0.0.1',
    );
    await once(server, 'listening');
    const { backends } = open(
      `${oneBackend(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`)}\nlimits: { retries: 0 }`,
    );
    const call = replyOf(backends.call('main', user('secret plans'), never));
    await expect(call).rejects.toMatchObject({ code: 'unreachable', message: expect.stringContaining(elsewhere) });
    expect(asked).toEqual([]);
    for (const each of [other, server]) each.close();
  },
);

test('usage is estimated when the stream has none, and a cost from the backend goes before ours', async () => {
  const server = await scripted((nth) =>
    nth === 0
      ? stream(delta({ content: 'x'.repeat(400) }, 'stop'))
      : stream(delta({ content: 'y' }, 'stop'), usageChunk(10, 1, { cost: 0.25 })),
  );
  const { backends } = open(oneBackend(server.url, 'cost: { input: 1, output: 1 }'));
  const first = await replyOf(backends.call('main', user('z'.repeat(80)), never));
  expect(first.reply.usage).toEqual({ inputTokens: 20, outputTokens: 100, costUsd: 0.00012 });
  const second = await replyOf(backends.call('main', user('z'), never));
  expect(second.reply.usage).toEqual({ inputTokens: 10, outputTokens: 1, costUsd: 0.25 });
});

test('a temporary failure is tried again if nothing was said yet', async () => {
  const server = await mock();
  server.onMessage(/hello/, { content: 'Hi' });
  server.nextRequestError(503, { message: 'overloaded' });
  server.nextRequestError(429, { message: 'slow down' });
  const { backends, logged } = open(`${oneBackend(server.url)}\nlimits: { retry_first_ms: 1, retry_most_ms: 2000 }`);
  const { reply } = await replyOf(backends.call('main', user('hello'), never));
  expect(reply.text).toBe('Hi');
  expect(server.getRequests()).toHaveLength(3);
  expect(logged()).toContain('"code":"overloaded"');
});

test('a Retry-After above the longest wait ends the tries and is reported', async () => {
  const server = await scripted(() => ({
    status: 429,
    headers: { 'retry-after': '120' },
    json: { error: { message: 'slow down' } },
  }));
  const { backends } = open(oneBackend(server.url));
  const failure = await failureOf(backends.call('main', user('x'), never));
  expect(failure).toMatchObject({ code: 'rate-limited', retryable: true, retryAfterMs: 120_000, backend: 'main' });
  expect(server.received).toHaveLength(1);
});

test('a wait that the body tells is one wait for all callers of the backend', async () => {
  const server = await scripted((nth) =>
    nth === 0
      ? { status: 429, json: [{ error: { code: 429, details: [{ retryDelay: '0.4s' }] } }] }
      : stream(delta({ content: 'ok' }, 'stop')),
  );
  const { backends } = open(`${oneBackend(server.url, 'concurrency: 1')}\nlimits: { retries: 0 }`);
  expect(await failureOf(backends.call('main', user('x'), never))).toMatchObject({ code: 'rate-limited', retryAfterMs: 400 });
  const abort = new AbortController();
  const givenUp = failureOf(backends.call('main', user('x'), abort.signal));
  const others = [1, 2].map(() => replyOf(backends.call('main', user('x'), never)));
  await new Promise((resolve) => setImmediate(resolve));
  expect(server.received).toHaveLength(1);
  abort.abort();
  expect((await givenUp).code).toBe('aborted');
  expect((await Promise.all(others)).map(({ reply }) => reply.text)).toEqual(['ok', 'ok']);
  expect(server.received).toHaveLength(3);
});

test('a backend that asked for a longer wait than any before a try is not asked meanwhile', async () => {
  let now = 0;
  const server = await scripted((nth) =>
    nth === 0
      ? { status: 429, json: { error: { message: 'Please try again in 2m.' } } }
      : stream(delta({ content: 'ok' }, 'stop')),
  );
  const { backends } = open(oneBackend(server.url), { now: () => now });
  await failureOf(backends.call('main', user('x'), never));
  now = 20_000;
  expect(await failureOf(backends.call('main', user('x'), never))).toMatchObject({ code: 'rate-limited', retryAfterMs: 100_000 });
  expect(server.received).toHaveLength(1);
  now = 120_000;
  expect((await replyOf(backends.call('main', user('x'), never))).reply.text).toBe('ok');
});

test('a date in Retry-After is read by the server’s clock, however wrong ours is', async () => {
  const date = 'Sat, 01 Jan 2000 00:00:00 GMT';
  const server = await scripted(() => ({
    status: 429,
    headers: { date, 'retry-after': 'Sat, 01 Jan 2000 00:02:00 GMT' },
    json: { error: { message: 'slow down' } },
  }));
  const { backends } = open(oneBackend(server.url));
  expect(await failureOf(backends.call('main', user('x'), never))).toMatchObject({ retryAfterMs: 120_000 });
});

test.each([
  [401, {}, 'bad-key', false],
  [404, {}, 'unknown-model', false],
  [400, {}, 'bad-request', false],
  [400, { code: 'context_length_exceeded' }, 'context-too-long', false],
  [400, { message: "This model's maximum context length is 4096 tokens" }, 'context-too-long', false],
  [429, { code: 'insufficient_quota' }, 'quota', false],
  [400, { message: 'Invalid model name passed in model=m. Call `/v1/models`' }, 'unknown-model', false],
  [400, { message: 'No connected db.', type: 'no_db_connection' }, 'bad-key', false],
  [500, { message: "1 validation error: {'loc': ('body', 'user')}" }, 'bad-request', false],
  [500, {}, 'overloaded', true],
])('status %i %j is %s, retryable: %s', async (status, error, code, retryable) => {
  const server = await scripted(() => ({ status, json: { error: { message: 'no', ...error } } }));
  const { backends } = open(oneBackend(server.url));
  expect(await failureOf(backends.call('main', user('x'), never))).toMatchObject({ code, retryable });
  expect(server.received).toHaveLength(retryable ? 3 : 1);
});

test('an absent server is reported as unreachable by name, and tried again', async () => {
  const server = await scriptedServer(() => ({}));
  await server.stop();
  const { backends } = open(oneBackend(server.url));
  const failure = await failureOf(backends.call('main', user('x'), never));
  expect(failure).toMatchObject({ code: 'unreachable', retryable: true });
  expect(failure.message).toContain(server.url);
  expect(failure.message).toContain('ECONNREFUSED');
});

test.each(['end', 'cut'] as const)(
  'a stream that breaks off (%s) after its first text is interrupted and not tried again',
  async (ending) => {
    const server = await scripted(() => ({ chunks: [delta({ content: 'half' })], ending }));
    const { backends } = open(oneBackend(server.url));
    const heard: string[] = [];
    const call = async () => {
      for await (const event of backends.call('main', user('x'), never))
        heard.push(event.type === 'said' ? event.text : 'replied');
    };
    expect(await failureOf(call())).toMatchObject({ code: 'interrupted', retryable: true });
    expect(heard).toEqual(['half']);
    expect(server.received).toHaveLength(1);
  },
);

test('a stream that breaks off before its first text is tried again', async () => {
  const server = await scripted((nth) =>
    nth === 0 ? { chunks: [delta({})], ending: 'cut' } : stream(delta({ content: 'ok' }, 'stop')),
  );
  const { backends } = open(oneBackend(server.url));
  expect((await replyOf(backends.call('main', user('x'), never))).reply.text).toBe('ok');
});

test.each([
  ['says nothing', stream(delta({}, 'stop')), 'bad-reply', true],
  ['says only spaces', stream(delta({ content: ' \n' }, 'stop')), 'bad-reply', true],
  ['is cut before it says anything', stream(delta({}, 'length')), 'bad-reply', true],
  ['is filtered', stream(delta({ content: 'I' }, 'content_filter')), 'refused', false],
  ['refuses', stream(delta({ refusal: 'I cannot' }, 'stop')), 'refused', false],
  ['is no JSON', stream('data: {"choices": [\n\n'), 'bad-reply', true],
  ['reports an error in its stream', stream({ error: { message: 'gpu fell off' } }), 'interrupted', true],
])('a reply that %s is an error with a code', async (_what, reply, code, retryable) => {
  const server = await scripted(() => reply);
  const { backends } = open(oneBackend(server.url));
  expect(await failureOf(backends.call('main', user('x'), never))).toMatchObject({ code, retryable });
});

test('an abort in the middle of the stream closes the connection', async () => {
  const server = await scripted(() => ({ chunks: [delta({ content: 'one' })], ending: 'hang' }));
  const { backends } = open(oneBackend(server.url));
  const abort = new AbortController();
  const call = async () => {
    for await (const _ of backends.call('main', user('x'), abort.signal)) abort.abort();
  };
  expect(await failureOf(call())).toMatchObject({ code: 'aborted', retryable: false });
  expect(await server.received[0]!.closed).toBe(true);
});

test('an abort before the first byte closes the connection too', async () => {
  const abort = new AbortController();
  const server = await scripted(() => {
    abort.abort();
    return { ending: 'hang' };
  });
  const { backends } = open(oneBackend(server.url));
  expect(await failureOf(backends.call('main', user('x'), abort.signal))).toMatchObject({ code: 'aborted' });
  expect(await server.received[0]!.closed).toBe(true);
});

test('a reader that stops reading ends the call and frees its place', async () => {
  const server = await scripted((nth) =>
    nth === 0 ? { chunks: [delta({ content: 'one' })], ending: 'hang' } : stream(delta({ content: 'two' }, 'stop')),
  );
  const { backends } = open(oneBackend(server.url, 'concurrency: 1'));
  for await (const _ of backends.call('main', user('x'), never)) break;
  expect(await server.received[0]!.closed).toBe(true);
  expect((await replyOf(backends.call('main', user('y'), never))).reply.text).toBe('two');
});

test.each([
  ['at all', []],
  ['more', [delta({ content: 'one' })]],
])('a call of a backend that says nothing %s for too long times out', async (_what, chunks) => {
  const server = await scripted(() => ({ chunks, ending: 'hang' }));
  const { backends } = open(`${oneBackend(server.url)}\nlimits: { silence_seconds: 1 }`);
  expect(await failureOf(backends.call('main', user('x'), never))).toMatchObject({ code: 'timeout', retryable: true });
  expect(await server.received[0]!.closed).toBe(true);
});

test('stop ends running and later calls, and can be called twice', async () => {
  const server = await scripted(() => ({ chunks: [delta({ content: 'one' })], ending: 'hang' }));
  const { backends } = open(oneBackend(server.url));
  const call = async () => {
    for await (const _ of backends.call('main', user('x'), never)) await backends.stop();
  };
  expect(await failureOf(call())).toMatchObject({ code: 'stopped' });
  await backends.stop();
  expect(await failureOf(backends.call('main', user('x'), never))).toMatchObject({ code: 'stopped' });
});

test('at most `concurrency` calls run at once, and an aborted one leaves the line', async () => {
  let running = 0;
  let most = 0;
  const server = await mock();
  server.onMessage(/./, async () => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setImmediate(resolve));
    running--;
    return { content: 'ok' };
  });
  const { backends } = open(oneBackend(server.url, 'concurrency: 2'));
  const abort = new AbortController();
  const calls = Array.from({ length: 6 }, () => replyOf(backends.call('main', user('x'), never)));
  const givenUp = failureOf(backends.call('main', user('x'), abort.signal));
  await new Promise((resolve) => setImmediate(resolve));
  expect(backends.menu()[0]).toMatchObject({ inUse: 2, inLine: 5 });
  abort.abort();
  expect((await givenUp).code).toBe('aborted');
  await Promise.all(calls);
  expect(most).toBe(2);
  expect(server.getRequests()).toHaveLength(6);
  expect(backends.menu()[0]).toMatchObject({ inUse: 0, inLine: 0 });
});

test('a backend with consecutive failures is left alone, and then one call may try', async () => {
  let now = 0;
  let isWell = false;
  const server = await scripted(() =>
    isWell ? stream(delta({ content: 'ok' }, 'stop')) : { status: 500, json: { error: { message: 'ill' } } },
  );
  const { backends } = open(`${oneBackend(server.url)}\nlimits: { retries: 0, breaker_failures: 2, breaker_seconds: 10 }`, {
    now: () => now,
  });
  for (let i = 0; i < 2; i++) expect((await failureOf(backends.call('main', user('x'), never))).code).toBe('overloaded');
  expect(await failureOf(backends.call('main', user('x'), never))).toMatchObject({
    code: 'resting',
    retryable: true,
    retryAfterMs: 10_000,
  });
  expect(server.received).toHaveLength(2);
  expect(backends.menu()[0]).toMatchObject({ available: false, why: expect.stringContaining('left alone for 10 s') });
  expect(backends.route({ needs: [] }).backend).toBeNull();
  now = 10_000;
  isWell = true;
  expect((await replyOf(backends.call('main', user('x'), never))).reply.text).toBe('ok');
  expect(backends.menu()[0]).toMatchObject({ available: true, why: null });
});

test('a bad reply shows that the backend lives, so failures before it no longer count', async () => {
  const ill: Reply = { status: 500, json: { error: { message: 'ill' } } };
  const server = await scripted((nth) => (nth === 1 ? stream(delta({}, 'stop')) : ill));
  const { backends } = open(`${oneBackend(server.url)}\nlimits: { retries: 0, breaker_failures: 2 }`);
  const codes: string[] = [];
  for (let i = 0; i < 4; i++) codes.push((await failureOf(backends.call('main', user('x'), never))).code);
  expect(codes).toEqual(['overloaded', 'bad-reply', 'overloaded', 'overloaded']);
  expect((await failureOf(backends.call('main', user('x'), never))).code).toBe('resting');
});

test('a reply interrupts a row of failures, also for a reader that stops at it', async () => {
  const ill: Reply = { status: 500, json: { error: { message: 'ill' } } };
  const server = await scripted((nth) => (nth === 1 ? stream(delta({ content: 'ok' }, 'stop')) : ill));
  const { backends } = open(`${oneBackend(server.url)}\nlimits: { retries: 0, breaker_failures: 2 }`);
  const codes: string[] = [];
  codes.push((await failureOf(backends.call('main', user('x'), never))).code);
  for await (const { type } of backends.call('main', user('x'), never)) if (type === 'replied') break;
  for (let i = 0; i < 3; i++) codes.push((await failureOf(backends.call('main', user('x'), never))).code);
  expect(codes).toEqual(['overloaded', 'overloaded', 'overloaded', 'resting']);
});

test('a try after the rest that its caller aborts leaves the try to the next call', async () => {
  let now = 0;
  const abort = new AbortController();
  const server = await scripted((nth) => {
    if (nth === 0) return { status: 500, json: { error: { message: 'ill' } } };
    if (nth === 2) return stream(delta({ content: 'ok' }, 'stop'));
    abort.abort();
    return { ending: 'hang' };
  });
  const { backends } = open(`${oneBackend(server.url)}\nlimits: { retries: 0, breaker_failures: 1, breaker_seconds: 10 }`, {
    now: () => now,
  });
  await failureOf(backends.call('main', user('x'), never));
  now = 10_000;
  expect((await failureOf(backends.call('main', user('x'), abort.signal))).code).toBe('aborted');
  expect((await replyOf(backends.call('main', user('x'), never))).reply.text).toBe('ok');
});

test('a backend that streams its reasoning is not silent, however long it takes', async () => {
  const thought = delta({ reasoning_content: 'hm' });
  const server = await scripted(() => ({ chunks: [...Array(8).fill(thought), delta({ content: 'ok' }, 'stop')], paceMs: 500 }));
  const { backends } = open(`${oneBackend(server.url)}\nlimits: { silence_seconds: 3 }`);
  expect((await replyOf(backends.call('main', user('x'), never))).reply.text).toBe('ok');
});

test('keys come by reference, are sent, and appear in no log and no error', async () => {
  const server = await scripted(() => ({ status: 401, json: { error: { message: 'Incorrect API key provided: topsecret-1' } } }));
  const { backends, logged } = open(oneBackend(server.url, 'key: env:MY_KEY'), { env: { MY_KEY: 'topsecret-1' } });
  const failure = await failureOf(backends.call('main', user('x'), never));
  expect(server.received[0]!.headers.authorization).toBe('Bearer topsecret-1');
  expect(`${failure.message} ${failure.stack} ${String(failure.cause)} ${logged()}`).not.toContain('topsecret');
});

test('environment variables named OPENAI_* are not used', async () => {
  const before = { ...process.env };
  const env = {
    OPENAI_API_KEY: 'k',
    OPENAI_ORG_ID: 'o',
    OPENAI_PROJECT_ID: 'p',
    OPENAI_CUSTOM_HEADERS: 'x-extra: 1\nauthorization: Bearer k',
  };
  Object.assign(process.env, env);
  try {
    const server = await scripted(() => stream(delta({ content: 'ok' }, 'stop')));
    const { backends } = open(oneBackend(server.url), { env });
    await replyOf(backends.call('main', user('x'), never));
    const { headers } = server.received[0]!;
    for (const name of ['authorization', 'openai-organization', 'openai-project', 'x-extra'])
      expect(headers[name]).toBeUndefined();
  } finally {
    process.env = before;
  }
});

test.each([
  ['unknown-backend', 'other', ''],
  ['not-opted-in', 'main', 'tier: api'],
  ['no-key', 'main', 'tier: local, key: env:NOT_SET'],
])('a call that fails with %s sends nothing', async (code, name, entry) => {
  const server = await scripted(() => ({}));
  const { backends } = open(`backends: { main: { base_url: "${server.url}", model: m${entry && `, ${entry}`} } }`);
  expect(await failureOf(backends.call(name, user('x'), never))).toMatchObject({
    code,
    retryable: false,
    hint: expect.stringMatching(/\w/),
  });
  expect(server.received).toHaveLength(0);
});

test.each([
  ['sk-secret’', /’, U\+2019/],
  ['“sk-secret”', /U\+201C/],
  ['"sk-secret"', /quotation mark/],
  ["sk-secret'", /quotation mark/],
  ['sk-\u200Bsecret', /\(U\+200B\)/],
  ['sk-secret\0', /\(U\+0000\)/],
  ['sk-secret\r\nsk-other', /more than one line/],
  ['Bearer sk-secret', /Bearer/],
  ['sk secret', /blank/],
])('the key %j is refused before a request, with its place and its fault', async (key, why) => {
  const server = await scripted(() => ({}));
  const folder = mkdtempSync(join(tmpdir(), 'cox-key-'));
  stops.push(async () => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'key'), key);
  const places = [
    ['env:MY_KEY', 'variable MY_KEY'],
    [`file:${join(folder, 'key')}`, join(folder, 'key')],
  ] as const;
  for (const [reference, place] of places) {
    const { backends } = open(oneBackend(server.url, `key: "${reference}"`), { env: { MY_KEY: key } });
    const failure = await failureOf(backends.call('main', user('x'), never));
    expect(failure).toMatchObject({ code: 'no-key', retryable: false, message: expect.stringMatching(why) });
    expect(failure.message).toContain(place);
    expect(failure.message).not.toMatch(/secret/);
  }
  expect(server.received).toHaveLength(0);
});

test.each(['sk-secret\r\n', '\uFEFFsk-secret', '  sk-secret\n\n'])(
  'the key %j is sent without what is around it',
  async (key) => {
    const server = await scripted(() => stream(delta({ content: 'yes' }), delta({}, 'stop')));
    const { backends } = open(oneBackend(server.url, 'key: env:MY_KEY'), { env: { MY_KEY: key } });
    await replyOf(backends.call('main', user('x'), never));
    expect(server.received[0]!.headers.authorization).toBe('Bearer sk-secret');
  },
);

test('half a character goes to no server, and what only looks like one stays', async () => {
  const server = await scripted(() => stream(delta({ content: 'yes' }), delta({}, 'stop')));
  const { backends } = open(oneBackend(server.url));
  const text = 'half \uD83D, whole 😀, other half \uDE00, text \\ud83d, \\\\ud83d and \\\uD83D';
  await replyOf(backends.call('main', user(text), never));
  const { messages } = server.received[0]!.body;
  expect(messages.at(-1)!.content).toBe(text.toWellFormed());
});

test('a call of a command backend reports that it is not built yet', async () => {
  const { backends } = open('backends: { cli: { kind: command, command: [claude, -p], opt_in: true } }');
  expect(await failureOf(backends.call('cli', user('x'), never))).toMatchObject({ code: 'not-yet' });
});

test('a prompt that certainly does not fit is not sent', async () => {
  const server = await scripted(() => ({}));
  const { backends } = open(oneBackend(server.url, 'context: 256'));
  expect(await failureOf(backends.call('main', user('x'.repeat(3000)), never))).toMatchObject({ code: 'context-too-long' });
  expect(server.received).toHaveLength(0);
});
