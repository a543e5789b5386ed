/** Servers want thoughts and signatures back with their own replies, each under names of its own. */
import { afterEach, expect, test } from 'vitest';
import type { ChatMessage, ModelReply } from '../../roster/conversation.ts';
import { delta, never, oneBackend, type Received, type Reply, replyOf, rig, scriptedServer, user } from './rig.ts';

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});
async function open(script: (nth: number, request: Received) => Reply, entries = '') {
  const server = await scriptedServer(script);
  const made = rig(oneBackend(server.url).replace(/ }$/, `${entries.replaceAll('URL', server.url)} }`));
  stops.push(
    () => server.stop(),
    () => made.backends.stop(),
  );
  return { ...made, received: server.received };
}

const tools = [{ name: 'read_file', description: 'Reads a file.', parameters: { type: 'object' } }];
const read = { ...user('Read a.txt'), tools };
const called = (more: object = {}) => ({
  tool_calls: [{ index: 0, id: 'c', type: 'function', function: { name: 'read_file', arguments: '{"path":"a.txt"}' }, ...more }],
});
const calls = (...pieces: object[]): Reply => ({
  chunks: [...pieces, called()].map((it) => delta(it)).concat(delta({}, 'tool_calls')),
});
const says = (text: string): Reply => ({ chunks: [delta({ content: text }), delta({}, 'stop')] });
const refuses = (message: string, status = 400): Reply => ({ status, json: { error: { message } } });

/** The history after a reply: its message, and the results of its calls. */
const after = (before: readonly ChatMessage[], { text, calls, echo }: ModelReply): ChatMessage[] => [
  ...before,
  { role: 'assistant', text, calls, ...(echo && { echo }) },
  ...calls.map(({ id }) => ({ role: 'tool' as const, call: id, text: 'It is blue.' })),
];
const assistants = ({ body }: Received) => body.messages.filter(({ role }) => role === 'assistant');
const hasThoughts = (request: Received) =>
  assistants(request).every((it) => !it.tool_calls || (it as { reasoning_content?: string }).reasoning_content);

test.each<[string, object[], object]>([
  [
    'DeepSeek',
    [{ reasoning_content: '' }, { reasoning_content: 'I ' }, { reasoning_content: 'read.' }],
    { reasoning_content: 'I read.' },
  ],
  ['DeepSeek, of nothing', [{ reasoning_content: '' }], { reasoning_content: '' }],
  ['vLLM', [{ reasoning: 'I read.', reasoning_content: null }], { reasoning: 'I read.' }],
  [
    'OpenRouter',
    [
      { reasoning: 'I ', reasoning_details: [{ type: 'reasoning.text', text: 'I ', index: 0, format: 'anthropic-claude-v1' }] },
      { reasoning: 'read.', reasoning_details: [{ type: 'reasoning.text', text: 'read.', index: 0 }] },
      { reasoning_details: [{ type: 'reasoning.text', signature: 'sig', index: 0 }] },
      { reasoning_details: [{ type: 'reasoning.encrypted', data: 'xyz', index: 1, id: 'rs_1' }] },
    ],
    {
      reasoning: 'I read.',
      reasoning_details: [
        { type: 'reasoning.text', text: 'I read.', index: 0, format: 'anthropic-claude-v1', signature: 'sig' },
        { type: 'reasoning.encrypted', data: 'xyz', index: 1, id: 'rs_1' },
      ],
    },
  ],
  [
    'LiteLLM',
    [
      { thinking_blocks: [{ type: 'thinking', thinking: 'I ', signature: null }], provider_specific_fields: null },
      { thinking_blocks: [{ type: 'thinking', thinking: 'read.', signature: null }] },
      { thinking_blocks: [{ type: 'thinking', thinking: '', signature: 'sig' }] },
      { thinking_blocks: [{ type: 'thinking', thinking: 'Now.', signature: 'two' }] },
      { thinking_blocks: [{ type: 'redacted_thinking', data: 'xyz' }] },
    ],
    {
      thinking_blocks: [
        { type: 'thinking', thinking: 'I read.', signature: 'sig' },
        { type: 'thinking', thinking: 'Now.', signature: 'two' },
        { type: 'redacted_thinking', data: 'xyz' },
      ],
    },
  ],
  [
    'Mistral',
    [
      { content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'I ' }] }] },
      { content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'read.' }] }] },
      { content: 'One moment.' },
    ],
    {
      content: [
        { type: 'thinking', thinking: [{ type: 'text', text: 'I read.' }] },
        { type: 'text', text: 'One moment.' },
      ],
    },
  ],
])('the thoughts of a call go back under their name: %s', async (_server, pieces, sent) => {
  const { backends, received } = await open((nth) => (nth === 0 ? calls(...pieces) : says('done')));
  const { reply } = await replyOf(backends.call('main', read, never));
  await replyOf(backends.call('main', { tools, messages: after(read.messages, reply) }, never));
  expect(assistants(received[1]!)).toMatchObject([{ ...sent, tool_calls: [{ function: { name: 'read_file' } }] }]);
});

test.each<[string, object]>([
  ['Google', { extra_content: { google: { thought_signature: 'sig' } } }],
  ['LiteLLM', { provider_specific_fields: { thought_signature: 'sig' } }],
  ['LiteLLM, in the id', { id: 'call_1__thought__c2ln' }],
  ['a gateway', { function: { name: 'read_file', arguments: '{"path":"a.txt"}', thought_signature: 'sig' } }],
])('the signature of a call goes back at its place: %s', async (_server, signed) => {
  const { backends, received } = await open((nth) =>
    nth === 0 ? { chunks: [delta(called(signed)), delta({}, 'tool_calls')] } : says('done'),
  );
  const { reply } = await replyOf(backends.call('main', read, never));
  await replyOf(backends.call('main', { tools, messages: after(read.messages, reply) }, never));
  const [message] = assistants(received[1]!);
  expect(message!.tool_calls).toMatchObject([signed]);
  const result = received[1]!.body.messages.find(({ role }) => role === 'tool');
  expect(result).toMatchObject({ tool_call_id: (message!.tool_calls as { id: string }[])[0]!.id });
});

test('nobody else gets the thoughts, and an answer without calls goes without them', async () => {
  const { backends, received } = await open(
    (nth) => (nth === 0 ? calls({ reasoning_content: 'secret' }) : says('done')),
    ', other: { base_url: "URL/v1", model: scripted, tier: local }',
  );
  const { reply } = await replyOf(backends.call('main', read, never));
  await replyOf(backends.call('other', { tools, messages: after(read.messages, reply) }, never));
  const said: ChatMessage = { role: 'assistant', text: 'It is blue.', echo: reply.echo! };
  await replyOf(backends.call('main', { tools, messages: [...read.messages, said, ...user('Sure?').messages] }, never));
  expect(received.slice(1).map(({ body }) => JSON.stringify(body).includes('secret'))).toEqual([false, false]);
});

const wants = [
  'The `reasoning_content` in the thinking mode must be passed back to the API.',
  'Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly',
  'messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`. When `thinking` is enabled, a final assistant message must start with a thinking block',
  'thinking is enabled but reasoning_content is missing in assistant tool call message at index 2',
];
test.each(wants)(
  'calls of another model are told in words to one that wants thoughts, which keeps native tools: %s',
  async (words) => {
    const { backends, received } = await open((nth, request) => {
      if (!hasThoughts(request)) return refuses(words, nth === 0 ? 400 : 500);
      return assistants(request).length === 1 ? calls({ reasoning_content: 'I read again.' }) : says('done');
    });
    const foreign: ModelReply = {
      type: 'replied',
      text: 'I look.',
      calls: [{ id: '1', tool: 'read_file', args: { path: 'a.txt' } }],
      usage: { inputTokens: 1, outputTokens: 1, costUsd: 0 },
      finish: 'tools',
    };
    const messages = after(read.messages, foreign);
    const { reply } = await replyOf(backends.call('main', { tools, messages }, never));
    await replyOf(backends.call('main', { tools, messages: after(messages, reply) }, never));
    expect(received.map(({ body }) => !!body.tools)).toEqual([true, true, true]);
    expect(received[1]!.body.messages.slice(1)).toEqual([
      { role: 'assistant', content: 'I look.\n{"tool":"read_file","args":{"path":"a.txt"}}' },
      { role: 'user', content: 'Result of read_file:\nIt is blue.' },
    ]);
    expect(assistants(received[2]!)[1]).toMatchObject({ reasoning_content: 'I read again.', tool_calls: [{}] });
    expect(backends.menu()[0]!.learnt).toMatchObject([
      { what: expect.stringContaining('thoughts are sent back'), why: expect.stringContaining(words.slice(0, 30)) },
    ]);
  },
);

test.each([
  'property reasoning_content is unsupported',
  "'messages.1' : for 'role:assistant' the following must be satisfied[('messages.1' : property 'reasoning_content' is unsupported)]",
  'reasoning_content must not be included in the input messages',
  "Additional properties are not allowed ('reasoning_content' was unexpected)",
  'body.messages.1.assistant.reasoning_content: Extra inputs are not permitted',
  'no',
])('a server that takes no thoughts gets none, and keeps native tools: %s', async (words) => {
  const { backends, received } = await open((nth, { body }) =>
    nth === 0
      ? calls({ reasoning_content: 'hm' })
      : JSON.stringify(body).includes('reasoning_content')
        ? refuses(words)
        : says('done'),
  );
  const { reply } = await replyOf(backends.call('main', read, never));
  for (let i = 0; i < 2; i++) await replyOf(backends.call('main', { tools, messages: after(read.messages, reply) }, never));
  const last = received.slice(-1)[0]!;
  expect(last.body.tools).toBeDefined();
  expect(assistants(last)[0]).toMatchObject({ tool_calls: [{}] });
  expect(assistants(last)[0]).not.toHaveProperty('reasoning_content');
});

test('a refusal of thoughts that goes on without them is not learnt as one', async () => {
  const { backends, received } = await open((_nth, { body }) =>
    body.tools ? refuses('The reasoning_content must be passed back') : says('{"answer": "ok"}'),
  );
  const call = { id: '1', tool: 'read_file', args: {} };
  const messages: ChatMessage[] = [
    ...read.messages,
    { role: 'assistant', text: '', calls: [call] },
    { role: 'tool', call: '1', text: 'x' },
  ];
  await replyOf(backends.call('main', { tools, messages }, never));
  expect(received.map(({ body }) => !!body.tools)).toEqual([true, true, false]);
  expect(backends.menu()[0]!.learnt).toBeUndefined();
});

const deep = (): unknown => Array.from({ length: 50 }).reduce((inner: unknown) => [inner], 'x');
test.each<[string, object[]]>([
  ['too long', Array.from({ length: 30 }, () => ({ reasoning_content: 'x'.repeat(10_000) }))],
  ['too deep', [{ reasoning_details: deep() }]],
])('thoughts that are %s are not kept, and the call is', async (_why, pieces) => {
  const { backends } = await open(() => calls(...pieces));
  const { reply } = await replyOf(backends.call('main', read, never));
  expect(reply.calls).toHaveLength(1);
  expect(JSON.stringify(reply.echo ?? {}).length).toBeLessThan(1_000);
});
