import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import type { Backends } from '../../roster/backends.ts';
import { Lessons } from '../../roster/lessons.ts';
import { parseRoster } from '../../roster/load.ts';
import { type Part, refusedPart } from '../../roster/refused-part.ts';
import {
  delta,
  failureOf,
  never,
  oneBackend,
  type Received,
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
async function open(entry: string, script: (nth: number, request: Received) => Reply) {
  const server: ScriptedServer = await scriptedServer(script);
  const made = rig(oneBackend(server.url, entry));
  stops.push(
    () => server.stop(),
    () => made.backends.stop(),
  );
  return { ...made, url: server.url, received: server.received };
}
const says = (text: string, finish = 'stop'): Reply => ({
  chunks: [...text].map((char) => delta({ content: char })).concat(delta({}, finish), usageChunk(10, 5)),
});
const refuses = (error: object = {}): Reply => ({ status: 400, json: { error: { message: 'no', ...error } } });
const tools = [
  { name: 'read_file', description: 'Reads a file.', parameters: { type: 'object', properties: { path: { type: 'string' } } } },
  { name: 'ask_operator', description: 'Asks.', parameters: { type: 'object', properties: { question: { type: 'string' } } } },
];
const read = { ...user('Read a.txt'), tools };

test('tools in text: tools are described in the prompt, a call is read from JSON, an answer streams as plain text', async () => {
  const { backends, received } = await open('tools: false', (nth) =>
    says(
      nth === 0
        ? 'Sure:\n```json\n{"tool": "read_file", "args": {"path": "a.txt"}}\n```'
        : '{"answer": "It says \\"h\\u00e9llo\\"\\nand 😀."}',
    ),
  );
  const first = await replyOf(backends.call('main', read, never));
  expect(first.reply).toMatchObject({ text: '', finish: 'tools', calls: [{ tool: 'read_file', args: { path: 'a.txt' } }] });
  expect(received[0]!.body.tools).toBeUndefined();
  expect(received[0]!.body.messages[0]).toMatchObject({
    role: 'system',
    content: expect.stringContaining('read_file: Reads a file.'),
  });
  const call = { id: first.reply.calls[0]!.id, tool: 'read_file', args: { path: 'a.txt' } };
  const messages = [
    ...read.messages,
    { role: 'assistant' as const, text: '', calls: [call] },
    { role: 'tool' as const, call: call.id, text: 'héllo' },
  ];
  const second = await replyOf(backends.call('main', { messages, tools }, never));
  expect(second.said.join('')).toBe('It says "héllo"\nand 😀.');
  expect(second.said.length).toBeGreaterThan(5);
  expect(second.reply).toMatchObject({ text: 'It says "héllo"\nand 😀.', calls: [], finish: 'stop' });
  expect(received[1]!.body.messages.slice(1)).toEqual([
    { role: 'user', content: 'Read a.txt' },
    { role: 'assistant', content: '{"tool":"read_file","args":{"path":"a.txt"}}' },
    { role: 'user', content: 'Result of read_file:\nhéllo' },
  ]);
});

test('tools in text: thoughts are left out, and plain text is the answer', async () => {
  const { backends } = await open('tools: false', () => says('<think>{"tool": "no"}</think>It is empty.'));
  const { said, reply } = await replyOf(backends.call('main', read, never));
  expect(said.join('')).toBe('It is empty.');
  expect(reply).toMatchObject({ text: 'It is empty.', calls: [] });
});

test('tools in text: a reply in neither form is asked for again, and all usage is counted', async () => {
  const { backends, received } = await open('tools: false', (nth) =>
    says(nth === 0 ? '{"tool": "read_file", "args": {"path": ' : '{"answer": "ok"}'),
  );
  const { said, reply } = await replyOf(backends.call('main', read, never));
  expect(said.join('')).toBe('ok');
  expect(reply).toMatchObject({ text: 'ok', usage: { inputTokens: 20, outputTokens: 10 } });
  expect(received[1]!.body.messages.at(-1)).toMatchObject({ role: 'user', content: expect.stringContaining('Reply again') });
});

test('tools in text: a third reply in neither form is a bad reply, and an answer that was cut off stands', async () => {
  const broken = await open('tools: false', () => says('{"tool": '));
  expect(await failureOf(broken.backends.call('main', read, never))).toMatchObject({ code: 'bad-reply', retryable: true });
  expect(broken.received).toHaveLength(3);
  const cut = await open('tools: false', () => says('{"answer": "The first half', 'length'));
  expect((await replyOf(cut.backends.call('main', read, never))).reply).toMatchObject({
    text: 'The first half',
    finish: 'length',
  });
});

test('tools: auto switches to text when the backend refuses tools, and remembers it', async () => {
  const { backends, received, setRoster, url } = await open('tools: auto', (_nth, { body }) =>
    body.tools ? refuses() : says('{"tool": "read_file", "args": {"path": "a"}}'),
  );
  for (let i = 0; i < 2; i++) expect((await replyOf(backends.call('main', read, never))).reply.calls).toHaveLength(1);
  expect(received.map(({ body }) => !!body.tools)).toEqual([true, false, false]);
  setRoster(oneBackend(url, 'tools: auto, vision: true'));
  await replyOf(backends.call('main', read, never));
  expect(received.map(({ body }) => !!body.tools)).toEqual([true, false, false, true, false]);
});

test('a refusal with another cause is passed on, and nothing is learnt from it', async () => {
  const { backends, received } = await open('tools: auto', (nth) =>
    nth < 2 ? refuses({ message: nth === 0 ? 'no such model' : 'other' }) : says('ok'),
  );
  expect((await failureOf(backends.call('main', read, never))).message).toContain('no such model');
  await replyOf(backends.call('main', read, never));
  expect(received.map(({ body }) => !!body.tools)).toEqual([true, false, true]);
});

test('tools: true never switches', async () => {
  const { backends, received } = await open('tools: true', () => refuses());
  expect((await failureOf(backends.call('main', read, never))).code).toBe('bad-request');
  expect(received).toHaveLength(1);
});

test('a parameter that a refusal names is left out or renamed', async () => {
  const { backends, received } = await open('', (_nth, { body }) => {
    if ('temperature' in body) return refuses({ param: 'temperature', code: 'unsupported_value' });
    if ('max_tokens' in body) return refuses({ param: 'max_tokens', code: 'unsupported_parameter' });
    return says('ok');
  });
  await replyOf(backends.call('main', { ...user('x'), temperature: 0, maxOutputTokens: 7 }, never));
  expect(received.at(-1)!.body).toMatchObject({ max_completion_tokens: 7 });
  expect(received).toHaveLength(3);
});

test('a refusal that names something else changes nothing', async () => {
  const { backends, received } = await open('', () => refuses({ param: 'messages[0].content' }));
  expect((await failureOf(backends.call('main', read, never))).code).toBe('bad-request');
  expect(received).toHaveLength(1);
});

test('the smaller of the requested output and `max_output` is sent', async () => {
  const { backends, received } = await open('max_output: 50', () => says('ok'));
  for (const maxOutputTokens of [20, 100]) await replyOf(backends.call('main', { ...user('x'), maxOutputTokens }, never));
  await replyOf(backends.call('main', user('x'), never));
  expect(received.map(({ body }) => body.max_tokens)).toEqual([20, 50, 50]);
});

const shape = z.object({ items: z.array(z.string()).min(1), final: z.string() });
const question = { ...user('Plan it'), shape, shapeName: 'plan' };
const good = { items: ['a'], final: 'sum up' };

test('ask: a backend with schemas gets the schema', async () => {
  const { backends, received } = await open('structured: json_schema', () => says(JSON.stringify(good)));
  expect(await backends.ask('main', question, never)).toEqual({
    value: good,
    usage: { inputTokens: 10, outputTokens: 5, costUsd: 0 },
  });
  expect(received[0]!.body.response_format).toMatchObject({
    type: 'json_schema',
    json_schema: { name: 'plan', strict: true, schema: { required: ['items', 'final'], additionalProperties: false } },
  });
});

test('ask: the schema is strict only when every key is required', async () => {
  const { backends, received } = await open('structured: json_schema', () => says('{}'));
  await backends.ask('main', { ...user('x'), shape: z.object({ note: z.string().optional() }), shapeName: 'note' }, never);
  expect(received[0]!.body.response_format).toMatchObject({ json_schema: { strict: false } });
});

test('ask: a forced call is made where it is configured', async () => {
  const call = { index: 0, id: 'c', type: 'function', function: { name: 'plan', arguments: JSON.stringify(good) } };
  const { backends, received } = await open('structured: tools', () => ({
    chunks: [delta({ tool_calls: [call] }), delta({}, 'tool_calls')],
  }));
  expect((await backends.ask('main', question, never)).value).toEqual(good);
  expect(received[0]!.body).toMatchObject({
    tool_choice: { function: { name: 'plan' } },
    tools: [{ function: { name: 'plan' } }],
  });
});

test('ask: auto switches to the prompt when the schema is refused', async () => {
  const { backends, received } = await open('', (_nth, { body }) =>
    body.response_format ? refuses() : says(`Here you are:\n\`\`\`json\n${JSON.stringify(good)}\n\`\`\``),
  );
  expect((await backends.ask('main', question, never)).value).toEqual(good);
  expect(received[1]!.body.messages.at(-1)!.content).toContain('"items"');
});

test('ask: a schema that is refused as a server error, with the values that the server takes, is learnt', async () => {
  const message =
    "1 validation error: {'type': 'literal_error', 'loc': ('body', 'response_format', 'type'), 'msg': \"Input should be 'text' or 'json_object'\"}";
  const { backends, received } = await open('', (_nth, { body }) =>
    body.response_format ? { status: 500, json: { error: { message, type: 'internal_server_error' } } } : says('{"yes": true}'),
  );
  const shape = z.object({ yes: z.boolean() });
  for (let i = 0; i < 2; i++) await backends.ask('main', { ...user('yes?'), shape, shapeName: 'answer' }, never);
  expect(received.map(({ body }) => !!body.response_format)).toEqual([true, false, false]);
  expect(learntBy(backends)).toEqual(['JSON is asked for in words']);
});

test('ask: a reply that does not fit is sent back with the errors, and usage adds up', async () => {
  const { backends, received } = await open('structured: prompt', (nth) =>
    says(['no JSON here', '{"items": [], "final": 3}', JSON.stringify(good)][nth]!),
  );
  expect(await backends.ask('main', question, never)).toEqual({
    value: good,
    usage: { inputTokens: 30, outputTokens: 15, costUsd: 0 },
  });
  const repairs = received.slice(1).map(({ body }) => body.messages.at(-1)!.content);
  expect(repairs[0]).toContain('not a JSON object');
  expect(repairs[1]).toMatch(/items: .*; final: .*expected string/);
});

test('ask: a cut-off reply is asked for again, shorter, and is a bad reply after two repairs', async () => {
  const { backends, received } = await open('structured: prompt', () => says('{"items": ["a", "b', 'length'));
  const failure = await failureOf(backends.ask('main', question, never));
  expect(failure).toMatchObject({ code: 'bad-reply', retryable: true });
  expect(failure.message).toContain('plan');
  expect(received).toHaveLength(3);
  expect(received[1]!.body.messages.at(-1)!.content).toContain('too long');
});

const learntBy = (backends: Backends) => (backends.menu()[0]!.learnt ?? []).map(({ what }) => what);

test.each([
  ['a proxy’s None', 400, { message: "m does not support parameters: ['tools']", param: 'None', type: 'None' }],
  ['words without a parameter', 400, { message: 'registry.ollama.ai/library/m does not support tools', param: null }],
  ['an option of the server', 400, { message: '"auto" tool choice requires --enable-auto-tool-choice to be set' }],
  ['a server error', 500, { message: 'tools param requires --jinja flag' }],
  ['a missing route', 404, { message: 'No endpoints found that support tool use.' }],
  ['a body that fits no schema', 422, { message: 'body.tools: extra fields not permitted', param: 'body' }],
])('tools: auto learns from %s, with the reason and the time', async (_, status, error) => {
  const { backends, received } = await open('tools: auto', (_nth, { body }) =>
    body.tools ? { status, json: { error } } : says('{"answer": "ok"}'),
  );
  for (let i = 0; i < 2; i++) expect((await replyOf(backends.call('main', read, never))).reply.text).toBe('ok');
  expect(received.map(({ body }) => !!body.tools)).toEqual([true, false, false]);
  expect(backends.menu()[0]!.learnt).toEqual([
    {
      what: 'tools are described in the prompt',
      why: expect.stringContaining(error.message),
      since: expect.stringMatching(/^20/),
    },
  ]);
});

type Body = Received['body'];
const hasSystem = ({ messages }: Body) => messages.some(({ role }) => role === 'system');
test.each<[string, object, (body: Body) => boolean, string]>([
  ['no system role', { message: 'System role not supported' }, hasSystem, 'the system text is told by the user'],
  [
    'no system role, as Google says it',
    { message: 'Developer instruction is not enabled for models/gemma-3-27b-it' },
    hasSystem,
    'the system text is told by the user',
  ],
  [
    'no system role, by the parameter',
    { message: "Unsupported value: 'messages[0].role' does not support 'system' with this model.", param: 'messages[0].role' },
    hasSystem,
    'the system text is told by the user',
  ],
  [
    'no streams',
    { message: 'Your organization must be verified to stream this model.', param: 'stream', code: 'unsupported_value' },
    (body) => body.stream === true,
    'replies come as a whole and not in pieces',
  ],
  [
    'no streams, in words',
    { message: 'Streaming is not supported for this model' },
    (body) => body.stream === true,
    'replies come as a whole',
  ],
  [
    'no tools, with the kind of the error as the parameter',
    { message: 'tools are not supported', param: 'validation_error' },
    (body) => body.tools !== undefined,
    'tools are described in the prompt',
  ],
  [
    'no tools, as a proxy tells it',
    { message: 'Provider returned error', metadata: { raw: '{"error":{"message":"this model does not support tools"}}' } },
    (body) => body.tools !== undefined,
    'tools are described in the prompt',
  ],
])('a backend with %s is asked in another way, and remembers it', async (_, error, refused, lesson) => {
  const reply = { choices: [{ message: { content: '{"answer": "ok"}' }, finish_reason: 'stop' }] };
  const { backends, received } = await open('', (_nth, { body }) =>
    refused(body)
      ? refuses(error)
      : body.stream === true
        ? says('{"answer": "ok"}')
        : { chunks: [JSON.stringify(reply)], ending: 'end' },
  );
  const request = { tools, messages: [{ role: 'system' as const, text: 'Be brief.' }, ...read.messages] };
  for (let i = 0; i < 2; i++) await replyOf(backends.call('main', request, never));
  expect(received.map(({ body }) => refused(body))).toEqual([true, false, false]);
  expect(JSON.stringify(received[2]!.body.messages)).toContain('Be brief.');
  expect(learntBy(backends)).toEqual([expect.stringContaining(lesson)]);
});

test('a refusal of a parameter of a structured reply is found below `body`', async () => {
  const { backends, received } = await open('', (_nth, { body }) =>
    body.response_format ? refuses({ message: 'Input should be text', param: 'body.response_format' }) : says('{"n": 1}'),
  );
  const { value } = await backends.ask('main', { ...user('x'), shape: z.object({ n: z.number() }), shapeName: 'n' }, never);
  expect([value, received.length]).toEqual([{ n: 1 }, 2]);
});

const used = (text: string) => ({
  tools,
  messages: [
    ...read.messages,
    { role: 'assistant' as const, text: '', calls: [{ id: '1', tool: 'read_file', args: { path: 'a.txt' } }] },
    { role: 'tool' as const, call: '1', text },
  ],
});

test.each([
  ['messages: text content blocks must contain non-whitespace text'],
  ["An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'."],
  ['Conversation roles must alternate user/assistant/user/assistant/...'],
  ["Unexpected role 'user' after role 'tool'"],
  ['Invalid message role: tool. Supported roles: user, assistant'],
  [
    "1 validation error: {'type': 'string_type', 'loc': ('body', 'messages', 1, 'content'), 'msg': 'Input should be a valid string'}",
  ],
  ['no'],
])('a refusal of one history leaves native tools to the next request: %s', async (message) => {
  const { backends, received } = await open('', (_nth, { body }) =>
    body.tools && JSON.stringify(body.messages).includes('poison') ? refuses({ message }) : says('{"answer": "ok"}'),
  );
  await replyOf(backends.call('main', used('poison'), never));
  await replyOf(backends.call('main', used('fine'), never));
  expect(received.map(({ body }) => !!body.tools)).toEqual([true, false, true]);
  expect(received[1]!.body.messages.at(-1)!.content).toContain('poison');
  expect(learntBy(backends)).toEqual([]);
});

test('what has been accepted before is not unlearnt by a refusal without a reason', async () => {
  const { backends, received } = await open('', (nth) => (nth === 1 ? refuses() : says('{"answer": "ok"}')));
  for (let i = 0; i < 3; i++) await replyOf(backends.call('main', read, never));
  expect(received.map(({ body }) => !!body.tools)).toEqual([true, true, false, true]);
});

test('a server that refuses both names of the output limit is not asked for ever', async () => {
  const { backends, received } = await open('max_output: 9', (_nth, { body }) =>
    refuses({ param: 'max_tokens' in body ? 'max_tokens' : 'max_completion_tokens' }),
  );
  expect((await failureOf(backends.call('main', user('x'), never))).code).toBe('bad-request');
  expect(received).toHaveLength(2);
});

test('a lesson is forgotten after an hour, and the full protocol is tried again', async () => {
  let now = Date.parse('2026-01-01T00:00:00Z');
  let lacks = true;
  const server = await scriptedServer((_nth, { body }) =>
    body.tools && lacks ? refuses({ message: 'tools are not supported' }) : says('{"answer": "ok"}'),
  );
  const { backends } = rig(oneBackend(server.url), { now: () => now });
  stops.push(
    () => server.stop(),
    () => backends.stop(),
  );
  const hasTools = async () => {
    await replyOf(backends.call('main', read, never));
    return !!server.received.at(-1)!.body.tools;
  };
  expect(await hasTools()).toBe(false);
  expect(backends.menu()[0]!.learnt).toMatchObject([{ since: '2026-01-01T00:00:00.000Z' }]);
  lacks = false;
  now += 3_599_999;
  expect(await hasTools()).toBe(false);
  now += 1;
  expect(learntBy(backends)).toEqual([]);
  expect(await hasTools()).toBe(true);
});

test('another process of the machine knows what was learnt, for the same roster entry', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'cox-lessons-'));
  stops.push(() => rm(folder, { recursive: true }));
  const entryOf = (more: string) =>
    parseRoster(`backends: { main: { base_url: "http://127.0.0.1/v1", model: m${more} } }`, '/roster.yaml').backends.main!;
  const change = { part: 'temperature', to: { temperature: false }, isLasting: true } as const;
  new Lessons(folder, Date.now).learn('main', entryOf(''), change, 'no temperature');
  new Lessons(folder, Date.now).learn('other', entryOf(''), change, 'no temperature');
  const later = new Lessons(folder, Date.now);
  expect(later.dialect('main', entryOf('')).temperature).toBe(false);
  expect(later.learnt('other', entryOf(''))).toMatchObject([{ what: 'no temperature is sent', why: 'no temperature' }]);
  expect(later.dialect('main', entryOf(', vision: true')).temperature).toBe(true);
  await writeFile(join(folder, 'lessons.json'), '{"main": 3');
  expect(new Lessons(folder, Date.now).learnt('main', entryOf(''))).toEqual([]);
  expect(await readdir(folder)).toEqual(['lessons.json']);
});

test.each<[string, Part | null]>([
  ['Failed to initialize samplers: failed to parse grammar', 'structured'],
  ['The provided response_schema is too complex', 'structured'],
  ['`temperature` may only be set to 1 when thinking is enabled.', 'temperature'],
  ['Please ensure that function call turn comes immediately after a user turn or after a function response turn.', 'messages'],
  ['Tool call id was call_x but must be a-z, A-Z, 0-9, with a length of 9.', 'messages'],
  ['Not the same number of function calls and responses', 'messages'],
  ['unsupported role: system', 'system'],
  ["Role 'developer' is not supported", 'system'],
  ['Function calling is not enabled for models/gemma-3-27b-it', 'tools'],
  ['Your credit balance is too low.', null],
])('the refusal %j is about %s', (words, part) => {
  expect(refusedPart(new Error(words)).part).toBe(part);
});
