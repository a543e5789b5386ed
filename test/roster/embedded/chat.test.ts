import type OpenAI from 'openai';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Endpoint } from '../../../roster/embedded/embedded.ts';
import { client, health, never, open, until } from './rig.ts';

type Messages = OpenAI.Chat.ChatCompletionMessageParam[];
type Tool = OpenAI.Chat.ChatCompletionFunctionTool;

let endpoint: Endpoint;
let ai: OpenAI;

beforeAll(async () => {
  endpoint = await (await open()).ready(never);
  ai = client(endpoint);
}, 300_000);

const model = 'small';
const user = (content: string): Messages => [{ role: 'user', content }];
const tool = (name: string, description: string, ...keys: string[]): Tool => ({
  type: 'function',
  function: {
    name,
    description,
    parameters: {
      type: 'object',
      properties: Object.fromEntries(keys.map((key) => [key, { type: 'string', minLength: 1, maxLength: 60 }])),
      required: keys,
      additionalProperties: false,
    },
  },
});
const tools = [tool('read_file', 'read the text of a file', 'path'), tool('list_files', 'list the files in a folder', 'path')];
const format = (shape: z.ZodType): OpenAI.ResponseFormatJSONSchema => ({
  type: 'json_schema',
  json_schema: { name: 'shape', schema: z.toJSONSchema(shape) as Record<string, unknown> },
});
/** A reply of at least 1,900 characters, so that it is still going on when the test looks. */
const endless = format(z.object({ text: z.string().min(1900).max(2000) }));
const longPrompt = (word: string): Messages => user(`${word} `.repeat(3000));

describe('a plain answer', () => {
  test('comes as one body with its usage', async () => {
    const reply = await ai.chat.completions.create({ model, messages: user('Say hello.'), max_tokens: 30 });
    expect(reply.choices[0]!.message.content).toMatch(/hello|hi/i);
    expect(reply.choices[0]!.finish_reason).toBe('stop');
    expect(reply.usage!.total_tokens).toBe(reply.usage!.prompt_tokens + reply.usage!.completion_tokens);
    expect(reply.usage!.completion_tokens).toBeGreaterThan(0);
  });

  test('streams in pieces, ends with its usage, and has the same text as in one body', async () => {
    const request = { model, messages: user('Name three colours.'), max_tokens: 30, seed: 1 };
    const whole = await ai.chat.completions.create(request);
    const pieces: string[] = [];
    let usage: OpenAI.CompletionUsage | null | undefined;
    const stream = await ai.chat.completions.create({ ...request, stream: true, stream_options: { include_usage: true } });
    for await (const chunk of stream) {
      if (chunk.choices[0]?.delta.content) pieces.push(chunk.choices[0].delta.content);
      usage = chunk.usage ?? usage;
    }
    expect(pieces.length).toBeGreaterThan(1);
    expect(pieces.join('')).toBe(whole.choices[0]!.message.content);
    expect(usage?.completion_tokens).toBe(whole.usage!.completion_tokens);
  });

  test('is cut at max_tokens and says so', async () => {
    const reply = await ai.chat.completions.create({ model, messages: user('Count from 1 to 100.'), max_tokens: 5 });
    expect(reply.choices[0]!.finish_reason).toBe('length');
    expect(reply.usage!.completion_tokens).toBe(5);
  });

  test('ends before a stop word', async () => {
    const messages = user('Repeat exactly: one two three four five');
    const reply = await ai.chat.completions.create({ model, messages, max_tokens: 30, stop: [' three'] });
    expect(reply.choices[0]!.message.content).toMatch(/one two$/i);
    expect(reply.choices[0]!.finish_reason).toBe('stop');
  });

  test('reads only the new part of a longer conversation', async () => {
    const messages: Messages = user('Remember the number 7. '.repeat(20));
    const first = await ai.chat.completions.create({ model, messages, max_tokens: 5 });
    messages.push({ role: 'assistant', content: first.choices[0]!.message.content ?? '' }, { role: 'user', content: 'Which?' });
    const second = await ai.chat.completions.create({ model, messages, max_tokens: 5 });
    expect(second.usage!.prompt_tokens_details!.cached_tokens).toBeGreaterThanOrEqual(first.usage!.prompt_tokens - 8);
  });
});

describe('structured output', () => {
  const Shape = z.strictObject({
    title: z.string().max(20),
    kind: z.enum(['task', 'note']),
    tags: z.array(z.string().max(12)).min(1).max(3),
    size: z.number(),
    owner: z.string().max(20).optional(),
    when: z.union([z.null(), z.strictObject({ year: z.int(), exact: z.boolean() })]),
  });

  test('fits the schema even if the model would say something else', async () => {
    for (const seed of [1, 2]) {
      const reply = await ai.chat.completions.create({
        model,
        messages: user('Never write JSON. Tell me a story about a "quoted" \\ backslash.'),
        response_format: format(Shape),
        temperature: 1.5,
        seed,
        max_tokens: 200,
      });
      expect(reply.choices[0]!.finish_reason).toBe('stop');
      Shape.parse(JSON.parse(reply.choices[0]!.message.content!));
    }
  });

  test('of the format json_object is an object', async () => {
    const messages = user('Give me {"name": …, "age": …} of a person.');
    const reply = await ai.chat.completions.create({
      model,
      messages,
      response_format: { type: 'json_object' },
      max_tokens: 200,
    });
    expect(JSON.parse(reply.choices[0]!.message.content!)).toBeTypeOf('object');
  });
});

describe('tools', () => {
  test('a call streams as a name and arguments that fit the schema', async () => {
    const messages = user('Read README.md and say what it is about.');
    const stream = await ai.chat.completions.create({ model, messages, tools, tool_choice: 'required', stream: true });
    let id = '';
    let name = '';
    let args = '';
    let finish: string | null = null;
    for await (const { choices } of stream) {
      const call = choices[0]?.delta.tool_calls?.[0];
      id += call?.id ?? '';
      name += call?.function?.name ?? '';
      args += call?.function?.arguments ?? '';
      finish = choices[0]?.finish_reason ?? finish;
    }
    expect(id).toMatch(/^call_/);
    expect(name).toBe('read_file');
    expect(JSON.parse(args)).toEqual({ path: expect.stringMatching(/README/) });
    expect(finish).toBe('tool_calls');
  });

  test('a named tool is the one that is called', async () => {
    const tool_choice = { type: 'function' as const, function: { name: 'list_files' } };
    const reply = await ai.chat.completions.create({ model, messages: user('Read README.md'), tools, tool_choice });
    expect(reply.choices[0]!.message.tool_calls).toMatchObject([{ type: 'function', function: { name: 'list_files' } }]);
  });

  test('with a list of allowed tools one of these is called, whatever the request says', async () => {
    const tool_choice = {
      type: 'allowed_tools' as const,
      allowed_tools: { mode: 'required' as const, tools: [{ type: 'function', function: { name: 'list_files' } }] },
    };
    const reply = await ai.chat.completions.create({ model, messages: user('Read README.md'), tools, tool_choice });
    expect(reply.choices[0]!.message.tool_calls).toMatchObject([{ function: { name: 'list_files' } }]);
  });

  test('with tool_choice none the answer is a text, unwrapped as it streams', async () => {
    const messages = user('Say "two words" in quotes.');
    const stream = await ai.chat.completions.create({
      model,
      messages,
      tools,
      tool_choice: 'none',
      stream: true,
      max_tokens: 80,
    });
    let text = '';
    for await (const { choices } of stream) {
      expect(choices[0]?.delta.tool_calls).toBeUndefined();
      text += choices[0]?.delta.content ?? '';
    }
    expect(text).not.toBe('');
    expect(text).not.toContain('{"tool"');
  });

  test('a result in the history is the source of the answer', async () => {
    const reply = await ai.chat.completions.create({
      model,
      messages: [
        { role: 'user', content: 'Read price.txt and say what the table costs.' },
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'c1', type: 'function', function: { name: 'read_file', arguments: '{"path":"price.txt"}' } }],
        },
        { role: 'tool', tool_call_id: 'c1', content: 'The table costs 4711 euro.' },
      ],
      tools,
      max_tokens: 80,
    });
    expect(reply.choices[0]!.message.content).toContain('4711');
    expect(reply.choices[0]!.finish_reason).toBe('stop');
  });
});

describe('a client that leaves', () => {
  test('ends its reply in the middle, and the next call is served', async () => {
    const leaving = new AbortController();
    const request = { model, messages: user('Talk.'), response_format: endless, stream: true as const };
    const stream = await ai.chat.completions.create(request, { signal: leaving.signal });
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) leaving.abort();
    const { tokens } = await health(endpoint);
    await ai.chat.completions.create({ model, messages: user('Hi'), max_tokens: 1 });
    // The whole reply would have several hundred tokens.
    expect((await health(endpoint)).tokens.written - tokens.written).toBeLessThan(60);
  });

  test('ends the reading of a long prompt in the middle', async () => {
    const { tokens } = await health(endpoint);
    const leaving = new AbortController();
    const call = ai.chat.completions.create({ model, messages: longPrompt('apple') }, { signal: leaving.signal });
    const begun = await until(endpoint, (now) => now.tokens.read > tokens.read);
    leaving.abort();
    await expect(call).rejects.toThrow();
    await ai.chat.completions.create({ model, messages: user('Hi'), max_tokens: 1 });
    expect((await health(endpoint)).tokens.read - begun.tokens.read).toBeLessThan(1500);
  });
});

describe('the one slot', () => {
  test('serves waiting requests in order', async () => {
    const served: string[] = [];
    const ask = async (name: string) => {
      await ai.chat.completions.create({ model, messages: user(name), max_tokens: 3 });
      served.push(name);
    };
    const leaving = new AbortController();
    const request = { model, messages: user('Talk.'), response_format: endless, stream: true as const };
    await ai.chat.completions.create(request, { signal: leaving.signal });
    const waiting: Promise<void>[] = [];
    for (const name of ['first', 'second', 'third']) {
      waiting.push(ask(name));
      await until(endpoint, (now) => now.waiting === waiting.length);
    }
    leaving.abort();
    await Promise.all(waiting);
    expect(served).toEqual(['first', 'second', 'third']);
  });

  test('forgets a waiting request whose client left', async () => {
    const holding = new AbortController();
    const request = { model, messages: user('Talk.'), response_format: endless, stream: true as const };
    await ai.chat.completions.create(request, { signal: holding.signal });
    const leaving = new AbortController();
    const { tokens } = await health(endpoint);
    const left = ai.chat.completions.create({ model, messages: longPrompt('pear') }, { signal: leaving.signal });
    await until(endpoint, (now) => now.waiting === 1);
    leaving.abort();
    await expect(left).rejects.toThrow();
    await until(endpoint, (now) => now.waiting === 0);
    holding.abort();
    await ai.chat.completions.create({ model, messages: user('Hi'), max_tokens: 1 });
    expect((await health(endpoint)).tokens.read - tokens.read).toBeLessThan(200);
  });
});

describe('a bad request', () => {
  const refused = (request: object) => ai.chat.completions.create({ model, messages: user('Hi'), ...request } as never);

  test('with a prompt that does not fit is refused', async () => {
    await expect(refused({ messages: user('word '.repeat(6000)) })).rejects.toMatchObject({
      status: 400,
      code: 'context_length_exceeded',
    });
  });

  test('with an image is refused', async () => {
    const content = [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } }];
    await expect(refused({ messages: [{ role: 'user', content }] })).rejects.toThrow(/no vision/);
  });

  test('with a schema without a grammar, an unknown tool or a wrong key is refused', async () => {
    const schema = { type: 'object', properties: { a: { $ref: '#/nowhere' } }, required: ['a'] };
    await expect(refused({ response_format: { type: 'json_schema', json_schema: { name: 'x', schema } } })).rejects.toMatchObject(
      {
        status: 400,
        code: 'schema_unsupported',
      },
    );
    const tool_choice = { type: 'function', function: { name: 'fly' } };
    await expect(refused({ tools, tool_choice })).rejects.toMatchObject({ status: 400, code: 'unknown_tool' });
    await expect(client({ ...endpoint, key: 'wrong' }).models.list()).rejects.toMatchObject({ status: 401 });
  });
});

test('the models list names the served model', async () => {
  expect((await ai.models.list()).data.map(({ id }) => id)).toEqual(['small']);
});
