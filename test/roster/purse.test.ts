/**
 * Each request to a backend with a price is reserved before it goes out, and settled by its bill or by what is known of its end.
 */
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import type { ModelUsage } from '../../roster/conversation.ts';
import type { Purse } from '../../roster/purse.ts';
import { delta, never, oneBackend, type Reply, replyOf, rig, scriptedServer, usageChunk, user } from './rig.ts';

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const price = 'cost: { input: 1000, output: 1000000 }, max_output: 7';
async function open(script: (nth: number) => Reply, { entry = price, limits = 'retries: 2, retry_first_ms: 0' } = {}) {
  const server = await scriptedServer(script);
  const { backends } = rig(`${oneBackend(server.url, entry)}\nlimits: { ${limits} }`);
  stops.push(
    () => server.stop(),
    () => backends.stop(),
  );
  return { server, backends };
}

type Entry = ['reserve' | 'replied' | 'failed', number, number?];
/** Calls of the purse with their cost and the estimated part, and the number of requests that the server had at each reserve. */
function book(server: { received: readonly unknown[] }): { purse: Purse; entries: Entry[]; requestsAt: number[] } {
  const entries: Entry[] = [];
  const requestsAt: number[] = [];
  const note = (what: Entry[0], { costUsd, estimatedUsd }: ModelUsage) =>
    entries.push(estimatedUsd === undefined ? [what, costUsd] : [what, costUsd, estimatedUsd]);
  const purse: Purse = {
    async reserve(worstUsd) {
      entries.push(['reserve', worstUsd]);
      requestsAt.push(server.received.length);
    },
    replied: (usage) => note('replied', usage),
    failed: (usage) => note('failed', usage),
  };
  return { purse, entries, requestsAt };
}
const answer = (text: string): Reply => ({ chunks: [delta({ content: text }), delta({}, 'stop'), usageChunk(20, 5)] });
const billed = (20 * 1000 + 5 * 1_000_000) / 1_000_000;

test('a reply is billed by the backend’s count, and its output is limited', async () => {
  const { server, backends } = await open(() => answer('yes'));
  const { purse, entries, requestsAt } = book(server);
  await replyOf(backends.call('main', user('well?'), never, purse));
  const { max_tokens, ...body } = server.received[0]!.body;
  expect(max_tokens).toBe(7);
  const bytes = Buffer.byteLength(JSON.stringify({ ...body, max_tokens }));
  expect(entries).toEqual([
    ['reserve', expect.closeTo(((bytes + 1024) * 1000 + 7 * 1_000_000) / 1_000_000, 9)],
    ['replied', billed],
  ]);
  expect(requestsAt).toEqual([0]);
  expect(backends.worstCaseUsd('main', user('well?'))).toBe(entries[0]![1]);
});

test.each([
  ['is turned away', { status: 503, json: {} }, 0],
  ['is refused for its rate', { status: 429, json: {} }, 0],
  ['fails behind a gateway', { status: 502, json: {} }, 'worst'],
  ['breaks off', { chunks: [delta({ role: 'assistant' })], ending: 'cut' }, 'worst'],
] as const)('a request that %s is tried with a new reserve, and its known cost counts', async (_, first: Reply, cost) => {
  const { server, backends } = await open((nth) => (nth === 0 ? first : answer('yes')));
  const { purse, entries, requestsAt } = book(server);
  await replyOf(backends.call('main', user('well?'), never, purse));
  const worst = entries[0]![1];
  expect(entries).toEqual([
    ['reserve', worst],
    cost === 0 ? ['failed', 0] : ['failed', worst, worst],
    ['reserve', worst],
    ['replied', billed],
  ]);
  expect(requestsAt).toEqual([0, 1]);
});

test('a request that reaches no server costs nothing', async () => {
  const { server, backends } = await open(() => answer('yes'), { limits: 'retries: 0' });
  const { purse, entries } = book(server);
  await server.stop();
  await replyOf(backends.call('main', user('well?'), never, purse)).catch(() => {});
  expect(entries.slice(1)).toEqual([['failed', 0]]);
});

test('a request that never left the process costs nothing, whatever kept it', async () => {
  const { server, backends } = await open(() => answer('yes'), { limits: 'retries: 0' });
  const { purse, entries } = book(server);
  const parameters = { toJSON: () => (entries.length > 0 ? failing() : { type: 'object' }) };
  const tools = [{ name: 'look', description: 'Looks.', parameters }];
  const messages = [{ role: 'user' as const, text: 'x' }];
  await expect(replyOf(backends.call('main', { messages, tools }, never, purse))).rejects.toThrow();
  expect(entries.slice(1)).toEqual([['failed', 0]]);
  expect(server.received).toHaveLength(0);
});
const failing = (): never => {
  throw new RangeError('Invalid string length');
};

test('each repair of a structured reply is a request of its own', async () => {
  const { server, backends } = await open((nth) => answer(nth === 0 ? 'what?' : '{"n":1}'));
  const { purse, entries } = book(server);
  const ask = { ...user('a number'), shape: z.object({ n: z.number() }), shapeName: 'it' };
  expect((await backends.ask('main', ask, never, purse)).value).toEqual({ n: 1 });
  expect(entries.map(([what]) => what)).toEqual(['reserve', 'replied', 'reserve', 'replied']);
  expect(entries[2]![1]).toBeGreaterThan(entries[0]![1]);
});

test('each reminder of the text form of tool calls is a request of its own', async () => {
  const { server, backends } = await open((nth) => answer(nth === 0 ? '{"tool": 7}' : '{"answer": "yes"}'), {
    entry: `${price}, tools: false`,
  });
  const { purse, entries } = book(server);
  const tools = [{ name: 'look', description: 'Looks.', parameters: {} }];
  await replyOf(backends.call('main', { ...user('well?'), tools }, never, purse));
  expect(entries.map(([what]) => what)).toEqual(['reserve', 'replied', 'reserve', 'replied']);
});

test('a refusal of the purse keeps the request from being sent and does not count against the backend', async () => {
  const { server, backends } = await open(() => answer('yes'), { limits: 'retries: 2, breaker_failures: 1' });
  const purse: Purse = { reserve: () => Promise.reject(new Error('no money')), replied() {}, failed() {} };
  await expect(replyOf(backends.call('main', user('well?'), never, purse))).rejects.toThrow('no money');
  expect(server.received).toHaveLength(0);
  expect(backends.menu()[0]!.available).toBe(true);
});

test('a reply without usage is billed at the worst case', async () => {
  const { server, backends } = await open(() => ({ chunks: [delta({ content: 'yes' }), delta({}, 'stop')] }));
  const { purse, entries } = book(server);
  await replyOf(backends.call('main', user('well?'), never, purse));
  expect(entries[1]).toEqual(['replied', entries[0]![1], entries[0]![1]]);
});

test.each([
  ['zeros', { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }],
  ['nothing', {}],
  ['a total only', { total_tokens: 25 }],
  ['negative counts', { prompt_tokens: -5_000_000, completion_tokens: 5 }],
  ['fractions', { prompt_tokens: 1.5, completion_tokens: 5 }],
  ['texts', { prompt_tokens: '12', completion_tokens: '5' }],
  ['more than any context', { prompt_tokens: 1e308, completion_tokens: 5 }],
  ['more tokens than the prompt has bytes', { prompt_tokens: 90_000_000, completion_tokens: 5 }],
  ['no tokens for its words', { prompt_tokens: 20, completion_tokens: 0, total_tokens: 20 }],
  ['a negative cost', { cost: -10 }],
  ['no cost and no tokens', { cost: 0 }],
])('a reply that reports %s is billed at the worst case', async (_, usage) => {
  const { server, backends } = await open(() => ({
    chunks: [delta({ content: 'yes' }), delta({}, 'stop'), { ...delta({}), choices: [], usage } as never],
  }));
  const { purse, entries } = book(server);
  await replyOf(backends.call('main', user('well?'), never, purse));
  expect(entries[1]).toEqual(['replied', entries[0]![1], entries[0]![1]]);
});

test('a reply that reports far too few tokens for its words is billed at the worst case', async () => {
  const text = 'So it is. '.repeat(200);
  const { server, backends } = await open(() => ({ chunks: [delta({ content: text }), delta({}, 'stop'), usageChunk(20, 1)] }));
  const { purse, entries } = book(server);
  await replyOf(backends.call('main', user('well?'), never, purse));
  expect(entries[1]).toEqual(['replied', entries[0]![1], entries[0]![1]]);
});

test('a reported cost that no discount explains gives way to that of the tokens', async () => {
  const { server, backends } = await open(() => ({
    chunks: [delta({ content: 'yes' }), delta({}, 'stop'), usageChunk(20, 5, { cost: 1e-300 })],
  }));
  const { purse, entries } = book(server);
  await replyOf(backends.call('main', user('well?'), never, purse));
  expect(entries[1]).toEqual(['replied', billed]);
});

test.each([
  ['a server that speaks no TLS', (url: string) => url.replace('http:', 'https:')],
  ['a port that no client may use', () => 'http://127.0.0.1:1'],
])('a request to %s costs nothing', async (_, urlOf) => {
  const server = await scriptedServer(() => answer('yes'));
  const { backends } = rig(`${oneBackend(urlOf(server.url), price)}\nlimits: { retries: 0 }`);
  stops.push(
    () => server.stop(),
    () => backends.stop(),
  );
  const { purse, entries } = book(server);
  await expect(replyOf(backends.call('main', user('well?'), never, purse))).rejects.toThrow('does not answer');
  expect(entries.slice(1)).toEqual([['failed', 0]]);
});

test('a backend without a price has no reserve, and its own limit of output', async () => {
  const { server, backends } = await open(() => answer('yes'), { entry: '' });
  const { purse, entries } = book(server);
  await replyOf(backends.call('main', user('well?'), never, purse));
  expect(entries).toEqual([]);
  expect(server.received[0]!.body).not.toHaveProperty('max_tokens');
});

test('a backend with a price and no `max_output` has a limit of 8192 tokens', async () => {
  const { server, backends } = await open(() => answer('yes'), { entry: 'cost: { input: 1, output: 1 }' });
  await replyOf(backends.call('main', user('well?'), never));
  expect(server.received[0]!.body.max_tokens).toBe(8192);
});

test('the worst case counts at least one token for each byte of the prompt', async () => {
  const { backends } = await open(() => answer('yes'), { entry: 'cost: { input: 1000000, output: 0 }' });
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' }), { minLength: 1, maxLength: 5 }), (texts) => {
      const messages = texts.map((text) => ({ role: 'user' as const, text }));
      const worst = backends.worstCaseUsd('main', { messages })!;
      expect(worst).toBeGreaterThan(texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0));
    }),
  );
});
