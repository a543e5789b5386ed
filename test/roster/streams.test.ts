/** Replies in the shapes that servers give them, over HTTP. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import type { ModelEvent } from '../../roster/conversation.ts';
import { delta, failureOf, never, oneBackend, type Reply, replyOf, rig, scriptedServer, usageChunk, user } from './rig.ts';

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});
const tools = [
  { name: 'read_file', description: 'Reads a file.', parameters: { type: 'object', properties: { path: { type: 'string' } } } },
  { name: 'list_files', description: 'Lists a folder.', parameters: { type: 'object', properties: {} } },
];

/** The events of one call to a server that gives this reply. */
async function callTo(reply: Reply, limits = 'retries: 0'): Promise<AsyncIterable<ModelEvent>> {
  const server = await scriptedServer(() => reply);
  const { backends } = rig(`${oneBackend(server.url)}\nlimits: { ${limits} }`);
  stops.push(
    () => server.stop(),
    () => backends.stop(),
  );
  return backends.call('main', { ...user('x'), tools }, never);
}
const replyTo = async (reply: Reply, limits?: string) => (await replyOf(await callTo(reply, limits))).reply;
const failureTo = async (reply: Reply) => failureOf(await callTo(reply));

const four = `data: ${JSON.stringify(delta({ content: 'Four: 四 🚣' }))}\n\n`;
const stop = `data: ${JSON.stringify(delta({}, 'stop'))}\n\n`;
const json = { 'content-type': 'application/json' };
const whole = (message: object, finish: string | null = 'stop') => ({
  id: 'x',
  object: 'chat.completion',
  choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: finish }],
  usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 },
});
const bytes = Buffer.from(four + stop);
const torn = bytes.indexOf(Buffer.from('🚣')) + 2;

test.each<[string, Reply]>([
  ['an empty data line', { chunks: [four, 'event: ping\ndata: \n\n', 'data:\n\n', stop] }],
  ['an end mark with a blank', { chunks: [four, stop, 'data: [DONE] \n\n'], ending: 'end' }],
  ['an end mark without blanks', { chunks: [four, stop, 'data:[DONE]'], ending: 'end' }],
  ['CRLF', { chunks: [(four + stop).replaceAll('\n', '\r\n')] }],
  ['CR', { chunks: [(four + stop).replaceAll('\n', '\r')] }],
  ['a byte order mark', { chunks: [`\uFEFF${four}`, stop] }],
  ['comments, ids and pings', { chunks: [': hello\n\n', `id: 1\nretry: 5\n${four}`, 'data: {"type":"ping"}\n\n', stop] }],
  ['a heartbeat in words', { chunks: [four, 'data: keep-alive\n\n', stop] }],
  ['a character torn in two', { chunks: [bytes.subarray(0, torn), bytes.subarray(torn)], paceMs: 20 }],
  ['no blank line between the events', { chunks: [(four + stop).replaceAll('\n\n', '\n')], ending: 'end' }],
  ['no blank line at the end', { chunks: [(four + stop).trimEnd()], ending: 'end' }],
  ['[DONE] without a finish_reason', { chunks: [four] }],
  ['usage as the last word, without [DONE]', { chunks: [four, usageChunk(7, 3)], ending: 'end' }],
  ['a connection that breaks after the end', { chunks: [four, stop], ending: 'cut' }],
  [
    'typed parts',
    {
      chunks: [
        delta({
          content: [
            { type: 'text', text: 'Four: ' },
            { type: 'output_text', text: '四 🚣' },
          ],
        }),
        stop,
      ],
    },
  ],
  [
    'typed parts with thoughts',
    {
      chunks: [
        delta({ content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] }] }),
        delta({ content: [{ type: 'reasoning', text: 'hm' }] }),
        delta({ content: { type: 'text', text: 'Four: 四 🚣' } }),
        stop,
      ],
    },
  ],
  ['a second choice', { chunks: [four, four.replace('"index":0', '"index":1'), stop] }],
  [
    'the whole reply instead of a stream',
    { headers: json, chunks: [JSON.stringify(whole({ content: 'Four: 四 🚣' }))], ending: 'end' },
  ],
  [
    'the whole reply, in lines and as typed parts',
    { chunks: [JSON.stringify(whole({ content: [{ type: 'text', text: 'Four: 四 🚣' }] }, null), null, 2)], ending: 'end' },
  ],
  [
    'one JSON value a line',
    {
      headers: json,
      chunks: [delta({ content: 'Four: 四 🚣' }), delta({}, 'stop')].map((it) => `${JSON.stringify(it)}\n`),
      ending: 'end',
    },
  ],
])('a reply is read that has %s', async (_, given) => {
  expect(await replyTo(given)).toMatchObject({ text: 'Four: 四 🚣', finish: 'stop', calls: [] });
});

test('a server that keeps the connection open after the end of its reply is not waited for', async () => {
  expect(await replyTo({ chunks: [four, stop], ending: 'hang' }, 'retries: 0, silence_seconds: 1')).toMatchObject({
    text: 'Four: 四 🚣',
  });
});

test('comments are signs of life', async () => {
  const pings = Array.from({ length: 8 }, () => ': PROCESSING\n\n');
  expect(await replyTo({ chunks: [...pings, four, stop], paceMs: 200 }, 'retries: 0, silence_seconds: 1')).toMatchObject({
    text: 'Four: 四 🚣',
  });
});

const piece = (more: object, name?: string, args?: unknown) =>
  delta({ tool_calls: [{ ...more, type: 'function', function: { ...(name && { name }), arguments: args } }] });
const end = delta({}, 'tool_calls');
const aPath = { tool: 'read_file', args: { path: 'a' } };
const bPath = { tool: 'read_file', args: { path: 'b' } };
const list = { tool: 'list_files', args: {} };

test.each<[string, (object | string)[], object[]]>([
  [
    'an id that changes',
    [
      piece({ index: 0, id: 'A' }, 'read_file', ''),
      piece({ index: 0, id: 'B' }, '', '{"path":'),
      piece({ index: 0, id: 'C' }, '', '"a"}'),
      end,
    ],
    [aPath],
  ],
  [
    'id and name in every piece',
    ['{"pa', 'th":"', 'a"}', ''].map((text) => piece({ index: 0, id: 'A' }, 'read_file', text)),
    [aPath],
  ],
  [
    'a brace at the beginning of a piece that repeats the name',
    ['{"path":"x', '{y"}'].map((text) => piece({ index: 0 }, 'read_file', text)),
    [{ tool: 'read_file', args: { path: 'x{y' } }],
  ],
  [
    'the name in every piece, and no id',
    ['{"pa', 'th":"', 'a"}', ''].map((text) => piece({ index: 0 }, 'read_file', text)),
    [aPath],
  ],
  [
    'another id with the name in every piece',
    ['', '{"pa', 'th":"', 'a"}'].map((text, n) => piece({ index: 0, id: `c${n}` }, 'read_file', text)),
    [aPath],
  ],
  ['arguments as an object', [piece({ index: 0, id: 'A' }, 'read_file', { path: 'a' }), end], [aPath]],
  ['arguments as JSON in a string', [piece({ index: 0, id: 'A' }, 'read_file', '"{\\"path\\":\\"a\\"}"'), end], [aPath]],
  [
    'no arguments',
    [piece({ index: 0, id: 'A' }, 'list_files'), piece({ index: 1, id: 'B' }, 'list_files', 'null'), end],
    [list, list],
  ],
  [
    '{} before the arguments',
    [piece({ index: 0, id: 'A' }, 'read_file', '{}'), piece({ index: 0 }, '', '{"path":'), piece({ index: 0 }, '', '"a"}'), end],
    [aPath],
  ],
  [
    'several calls on one index',
    [
      piece({ index: 0, id: 'A' }, 'read_file', '{"path":"a"}'),
      piece({ index: 0, id: 'B' }, 'read_file', '{"path":'),
      piece({ index: 0, id: 'B' }, '', '"b"}'),
      end,
    ],
    [aPath, bPath],
  ],
  [
    'pieces of two calls by turns, without an index',
    [
      piece({ id: 'A' }, 'read_file', '{"path":'),
      piece({ id: 'B' }, 'read_file', '{"path":'),
      piece({ id: 'A' }, '', '"a"}'),
      piece({ id: 'B' }, '', '"b"}'),
      end,
    ],
    [aPath, bPath],
  ],
  [
    'calls of different tools without arguments on one index',
    [piece({ index: 0 }, 'list_files', ''), piece({ index: 0 }, 'read_file', '{"path":"a"}'), end],
    [list, aPath],
  ],
  [
    'the whole call once more',
    [piece({ index: 0, id: 'A' }, 'read_file', '{"path":"a"}'), piece({ index: 0, id: 'A' }, 'read_file', '{"path":"a"}'), end],
    [aPath],
  ],
  ['[DONE] without a finish_reason', [piece({ index: 0, id: 'A' }, 'read_file', '{"path":"a"}')], [aPath]],
  [
    'a function_call of the older protocol',
    [
      delta({ function_call: { name: 'read_file', arguments: '{"path":' } }),
      delta({ function_call: { arguments: '"a"}' } }),
      delta({}, 'function_call'),
    ],
    [aPath],
  ],
  [
    'one call that is no list',
    [delta({ tool_calls: { id: 'A', function: { name: 'read_file', arguments: '{"path":"a"}' } } }), end],
    [aPath],
  ],
  [
    'null for what is not there',
    [
      delta({ content: null, tool_calls: null, function_call: null, refusal: null }),
      piece({ index: null, id: null }, 'read_file', '{"path":"a"}'),
      end,
    ],
    [aPath],
  ],
])('a call is read that has %s', async (_, chunks, expected) => {
  const { calls } = await replyTo({ chunks });
  expect(calls.map(({ tool, args }) => ({ tool, args }))).toEqual(expected);
  expect(new Set(calls.map(({ id }) => id)).size).toBe(expected.length);
});

test('calls of a whole reply are read', async () => {
  const calls = [{ id: 'A', type: 'function', function: { name: 'read_file', arguments: '{"path":"a"}' } }];
  const reply = await replyTo({
    chunks: [JSON.stringify(whole({ content: null, tool_calls: calls }, 'tool_calls'))],
    ending: 'end',
  });
  expect(reply).toMatchObject({ calls: [{ id: 'A', ...aPath }], usage: { inputTokens: 7, outputTokens: 3 } });
});

const told = (error: unknown) => ({ chunks: [`data: ${JSON.stringify({ error })}\n\n`] });
const asBody = (value: unknown): Reply => ({ headers: json, chunks: [JSON.stringify(value)], ending: 'end' });
test.each<[string, Reply, string, string]>([
  ['JSON', asBody({ error: { message: 'Rate limit exceeded: per-day', code: 429 } }), 'rate-limited', 'per-day'],
  [
    'JSON in a list',
    asBody([{ error: { message: 'No such model', code: 404, status: 'NOT_FOUND' } }]),
    'unknown-model',
    'No such model',
  ],
  ['JSON with its words only', asBody({ detail: 'worker is gone' }), 'interrupted', 'worker is gone'],
  ['JSON that is no reply', asBody({ hello: 'there' }), 'interrupted', 'hello'],
  ['an event', told({ message: 'Overloaded', type: 'overloaded_error' }), 'overloaded', 'Overloaded'],
  ['an event with its words only', told('out of memory'), 'interrupted', 'out of memory'],
  [
    'an event named error',
    { chunks: ['event: error\ndata: {"type":"error","error":{"type":"authentication_error","message":"no key"}}\n\n'] },
    'bad-key',
    'no key',
  ],
  [
    'a choice',
    {
      chunks: [
        {
          ...delta({}, 'error'),
          choices: [{ index: 0, delta: {}, finish_reason: 'error', error: { code: 502, message: 'upstream' } }],
        },
      ],
    },
    'overloaded',
    'upstream',
  ],
  [
    'a web page',
    { headers: { 'content-type': 'text/html' }, chunks: ['<!doctype html><title>Sign in</title>'], ending: 'end' },
    'unreachable',
    'Sign in',
  ],
  [
    'words',
    { headers: { 'content-type': 'text/plain' }, chunks: ['no healthy upstream\n'], ending: 'end' },
    'interrupted',
    'no healthy upstream',
  ],
  [
    'words without a line end',
    { headers: { 'content-type': 'text/plain' }, chunks: ['upstream', ' timeout'], ending: 'end' },
    'interrupted',
    'upstream timeout',
  ],
  ['nothing', { ending: 'end' }, 'interrupted', 'before the reply'],
  [
    'one line of several',
    { headers: json, chunks: [`${JSON.stringify(delta({ content: 'Fo' }))}\n`], ending: 'end' },
    'interrupted',
    'in the middle',
  ],
  [
    'half of a whole reply',
    { headers: json, chunks: [JSON.stringify(whole({ content: 'Four.' })).slice(0, 90)], ending: 'end' },
    'interrupted',
    'before the reply',
  ],
])('status 200 with an error as %s fails with its words', async (_, given, code, words) => {
  const failure = await failureTo(given);
  expect(failure.code).toBe(code);
  expect(failure.message).toContain(words);
});

test('a web page with another status is told by its title', async () => {
  const page =
    '<!DOCTYPE html><html><head><title>api.example.com | 524: A timeout\n occurred</title></head><body>x</body></html>';
  const server = createServer((_, response) => response.writeHead(524, { 'content-type': 'text/html' }).end(page));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { backends } = rig(`${oneBackend(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)}\nlimits: { retries: 0 }`);
  stops.push(
    () => new Promise((resolve) => server.close(resolve)),
    () => backends.stop(),
  );
  const { message } = await failureOf(backends.call('main', user('x'), never));
  expect(message).toContain('524 it answered with a web page: “api.example.com | 524: A timeout occurred”');
  expect(message).not.toContain('<html>');
});

test('an error in the middle of a reply ends it', async () => {
  const failure = await failureTo({ chunks: [four, { error: { message: 'GPU is gone', code: 500 } }, stop] });
  expect(failure).toMatchObject({ code: 'interrupted', message: expect.stringContaining('GPU is gone') });
});

test.each<[string, Reply]>([
  ['an event in words', { chunks: [four, 'event: error\ndata: GPU is gone\n\n'] }],
  ['a line of JSON without a field', { chunks: [four, '{"error":{"message":"GPU is gone"}}\n\n'] }],
  ['a field of its own', { chunks: [four, 'error: {"message":"GPU is gone","code":500}\n\n'] }],
])('%s that tells an error ends a reply, whatever follows it', async (_, given) => {
  const failure = await failureTo({ ...given, chunks: [...given.chunks!, stop] });
  expect(failure).toMatchObject({ code: 'interrupted', message: expect.stringContaining('GPU is gone') });
});

test('usage before the text is not the end of it', async () => {
  const failure = await failureTo({ chunks: [usageChunk(7, 3), delta({ content: 'Four: ' })], ending: 'end' });
  expect(failure).toMatchObject({ code: 'interrupted', message: expect.stringContaining('in the middle') });
});

test('a last message that repeats the text adds nothing', async () => {
  const last = { choices: [{ index: 0, delta: null, message: { content: 'Four.' }, finish_reason: 'stop' }] };
  expect((await replyTo({ chunks: [delta({ content: 'Four.' }), last] })).text).toBe('Four.');
});

test('half a character waits for the other half, and is left out without it', async () => {
  const { said, reply } = await replyOf(
    await callTo({ chunks: [delta({ content: 'a \ud83d' }), delta({ content: '\ude00 b \ud83d' }), delta({}, 'stop')] }),
  );
  expect(said).toEqual(['a ', '😀 b ']);
  expect(reply.text).toBe('a 😀 b ');
});

test('arguments that grow with every piece are those of the last piece', async () => {
  const pieces = ['{"pa', '{"path":"a', '{"path":"a.txt"}'].map((given, nth) =>
    delta({
      tool_calls: [
        { index: 0, ...(nth === 0 && { id: 'c' }), function: { ...(nth === 0 && { name: 'read_file' }), arguments: given } },
      ],
    }),
  );
  const { calls } = await replyTo({ chunks: [...pieces, delta({}, 'tool_calls')] });
  expect(calls).toMatchObject([{ tool: 'read_file', args: { path: 'a.txt' } }]);
});

test.each<[string, object]>([
  [
    'of the choice',
    { choices: [{ index: 0, delta: {}, finish_reason: 'stop', usage: { prompt_tokens: 7, completion_tokens: 3 } }] },
  ],
  ['in a field of Groq', { ...delta({}, 'stop'), x_groq: { usage: { prompt_tokens: 7, completion_tokens: 3 } } }],
])('usage %s is read', async (_, last) => {
  expect(await replyTo({ chunks: [four, last] })).toMatchObject({ usage: { inputTokens: 7, outputTokens: 3 } });
});

test('a finishReason in the way of Google says as much as a finish_reason', async () => {
  const cut = { choices: [{ index: 0, delta: { content: 'one' }, finishReason: 'MAX_TOKENS' }] };
  expect(await replyTo({ chunks: [cut] })).toMatchObject({ cut: 'MAX_TOKENS' });
});

test.each(['NaN', 'Infinity', '-Infinity'])(
  'a number that JSON lacks, %s, is read as null, and no text is changed by it',
  async (number) => {
    const text = `{"choices":[{"index":0,"delta":{"content":"is ${number}"},"logprobs":${number},"finish_reason":"stop"}],"usage":{"prompt_tokens":${number},"completion_tokens":${number}}}`;
    expect(await replyTo({ chunks: [`data: ${text}\n\n`] })).toMatchObject({ text: `is ${number}` });
    expect(await replyTo({ headers: json, chunks: [text], ending: 'end' })).toMatchObject({ text: `is ${number}` });
  },
);
