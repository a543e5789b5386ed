/**
 * A fuzzer for the replies of models. Good streams are changed in ways that servers change them, and broken in ways that networks
 * break them, at any byte. The short form is part of the suite; `npm run test:fuzz` plays a million replies (`COX_FUZZ_RUNS`). A
 * failure prints its seed; `COX_FUZZ_SEED` plays it again.
 */
import fc from 'fast-check';
import { OpenAI } from 'openai';
import { expect, test } from 'vitest';
import type { ChatMessage, ModelReply } from '../../roster/conversation.ts';
import { firstDialect } from '../../roster/dialect.ts';
import { ModelError } from '../../roster/errors.ts';
import { parseRoster } from '../../roster/load.ts';
import { modelCall } from '../../roster/model-call.ts';
import { type BodyOptions, requestBody } from '../../roster/request-body.ts';
import { wireError } from '../../roster/wire-error.ts';
import { never, oneBackend, user } from './rig.ts';

const runs = Number(process.env.COX_FUZZ_RUNS ?? 400);
const given = process.env.COX_FUZZ_SEED;
const seed = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);
const settings = { numRuns: runs, seed };
/** A run takes about 5 ms. */
const timeoutMs = 30_000 + runs * 50;

interface Told {
  readonly text: readonly string[];
  readonly calls: readonly { readonly tool: string; readonly args: Readonly<Record<string, unknown>> }[];
}
/** The ways in which a server says the same. */
interface Manner {
  readonly newline: '\n' | '\r\n' | '\r';
  readonly bom: boolean;
  readonly noise: string;
  readonly typedParts: boolean;
  readonly ids: 'once' | 'every' | 'changing' | 'none';
  readonly names: 'once' | 'every';
  readonly asObject: boolean;
  readonly finish: string | null;
  readonly done: string;
  readonly shape: 'events' | 'whole' | 'lines' | 'no blank lines';
  readonly thoughts: keyof typeof thoughtsIn;
}
/** A thought in two pieces, beside the text. */
const thoughtsIn = {
  none: [],
  text: [{ reasoning_content: 'I ' }, { reasoning_content: 'read.' }],
  details: [
    { reasoning_details: [{ type: 'reasoning.text', text: 'I ', index: 0 }] },
    { reasoning_details: [{ type: 'reasoning.text', text: 'read.', signature: 's', index: 0 }] },
  ],
  blocks: [
    { thinking_blocks: [{ type: 'thinking', thinking: 'I ', signature: null }] },
    { thinking_blocks: [{ type: 'thinking', thinking: 'read.', signature: 's' }] },
  ],
  parts: [
    { content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'I ' }] }] },
    { content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'read.' }] }] },
  ],
} as const;
const signed = { extra_content: { google: { thought_signature: 's' } } };

// Text that is no call, no thought and no blank, so that a reply is just what was told.
const words = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
  .map((text) => `x${text.replaceAll(/[<[◁`{]/gu, '_')}x`);
const told: fc.Arbitrary<Told> = fc.record({
  text: fc.array(words, { minLength: 1, maxLength: 5 }),
  calls: fc.array(
    fc.record({
      tool: fc.constantFrom('read_file', 'list_files'),
      args: fc.dictionary(fc.stringMatching(/^[a-z]{1,6}$/), fc.jsonValue({ maxDepth: 2 }), { minKeys: 1, maxKeys: 3 }),
    }),
    { maxLength: 3 },
  ),
});
const manner: fc.Arbitrary<Manner> = fc.record({
  newline: fc.constantFrom('\n', '\r\n', '\r'),
  bom: fc.boolean(),
  noise: fc.constantFrom(
    '',
    ': ping',
    'data:',
    'data: ',
    'event: ping|data: {"type":"ping"}',
    'id: 7|data: keep-alive',
    'retry: 10',
  ),
  typedParts: fc.boolean(),
  ids: fc.constantFrom('once', 'every', 'changing', 'none'),
  names: fc.constantFrom('once', 'every'),
  asObject: fc.boolean(),
  finish: fc.constantFrom('stop', 'tool_calls', 'eos', null),
  done: fc.constantFrom('data: [DONE]', 'data:[DONE]', 'data: [DONE] '),
  shape: fc.constantFrom('events', 'whole', 'lines', 'no blank lines'),
  thoughts: fc.constantFrom('none', 'text', 'details', 'blocks', 'parts'),
});

/** The chunks of a good stream in this manner. */
function chunksOf({ text, calls }: Told, how: Manner): object[] {
  const chunk = (delta: object, finish: string | null = null) => ({ choices: [{ index: 0, delta, finish_reason: finish }] });
  const said = text.map((it) => chunk({ content: how.typedParts ? [{ type: 'text', text: it }] : it }));
  const called = calls.flatMap(({ tool, args }, index) => {
    const json = JSON.stringify(args);
    const third = Math.ceil(json.length / 3);
    const pieces = how.asObject ? [args] : [json.slice(0, third), json.slice(third, 2 * third), json.slice(2 * third)];
    return pieces.map((piece, nth) => {
      const id = { once: nth === 0 ? `c${index}` : undefined, every: `c${index}`, changing: `c${index}-${nth}`, none: undefined }[
        how.ids
      ];
      const name = how.names === 'every' || nth === 0 ? tool : undefined;
      const more = how.thoughts !== 'none' && nth === 0 ? signed : {};
      return chunk({ tool_calls: [{ index, id, type: 'function', function: { name, arguments: piece }, ...more }] });
    });
  });
  const thought = thoughtsIn[how.thoughts].map((it) => chunk(it));
  return [...thought, ...said, ...called, ...(how.finish === null ? [] : [chunk({}, how.finish)])];
}

function wireOf(reply: Told, how: Manner): Buffer {
  const chunks = chunksOf(reply, how);
  if (how.shape === 'lines') return Buffer.from(`${chunks.map((it) => JSON.stringify(it)).join('\n')}\ndata: [DONE]\n`);
  if (how.shape === 'whole') {
    const calls = reply.calls.map(({ tool, args }, n) => ({
      id: `c${n}`,
      function: { name: tool, arguments: JSON.stringify(args) },
    }));
    const message = { role: 'assistant', content: reply.text.join(''), ...(calls.length > 0 && { tool_calls: calls }) };
    return Buffer.from(JSON.stringify({ choices: [{ message, finish_reason: how.finish }] }));
  }
  const noise = how.noise.split('|').join('\n');
  const gap = how.shape === 'no blank lines' ? '\n' : '\n\n';
  const events = chunks.flatMap((it) => [`data: ${JSON.stringify(it)}`, ...(noise && gap === '\n\n' ? [noise] : [])]);
  const lines = [...events, how.done].join(gap);
  return Buffer.from((how.bom ? '\uFEFF' : '') + `${lines}${gap}`.replaceAll('\n', how.newline));
}

const backend = parseRoster(oneBackend('http://127.0.0.1:1'), '/roster.yaml').backends.main!;
const parameters = { type: 'object', properties: {} };
const tools = ['read_file', 'list_files'].map((name) => ({ name, description: 'x', parameters }));

/** Plays the bytes as the body of a reply, torn at every `size` bytes, through the `openai` package. */
async function play(body: Buffer, size: number, ends: 'closed' | 'broken' = 'closed'): Promise<ModelReply | ModelError> {
  let requests = 0;
  const fetch = async (): Promise<Response> => {
    const pieces = Array.from({ length: Math.ceil(body.length / size) }, (_, n) => body.subarray(n * size, (n + 1) * size));
    // The rest of a reply that was cut off is not to be had.
    if (requests++ > 0) return new Response('{}', { status: 500 });
    const stream = new ReadableStream({
      pull(controller) {
        const piece = pieces.shift();
        if (piece) controller.enqueue(new Uint8Array(piece));
        else if (ends === 'broken') controller.error(new TypeError('terminated'));
        else controller.close();
      },
    });
    return new Response(stream, { headers: { 'content-type': 'text/event-stream' } });
  };
  const client = new OpenAI({ baseURL: 'http://model.test/v1', apiKey: 'none', maxRetries: 0, logLevel: 'off', fetch });
  let ids = 0;
  let sent = 0;
  const call = {
    ...{
      client,
      backend: 'main',
      model: 'm',
      dialect: firstDialect(backend),
      pictures: backend.pictures,
      cost: null,
      context: null,
      maxOutput: null,
    },
    ...{ silenceMs: 60_000, callMs: 60_000, signal: never, newId: () => `new-${ids++}`, requestsSent: () => ++sent },
  };
  try {
    for await (const event of modelCall({ ...user('x'), tools }, call)) {
      if (event.type !== 'replied') continue;
      sentBack(event, call);
      return event;
    }
  } catch (error) {
    const mapped = wireError(error, { backend: 'main', isEmbedded: false, baseUrl: 'http://model.test/v1', key: null });
    // A fault of ours would be a TypeError or the like; those of the wire are known.
    if (!(error instanceof Error) || error instanceof RangeError || error instanceof ReferenceError) throw error;
    if (error instanceof TypeError && error.message !== 'terminated') throw error;
    return mapped;
  }
  throw new Error('no reply and no error');
}

/** The message of the reply in the next request to the same backend. */
function sentBack({ text, calls, echo }: ModelReply, call: Omit<BodyOptions, 'maxOutput'>): object {
  const assistant: ChatMessage = { role: 'assistant', text, calls, ...(echo && { echo }) };
  const { messages } = requestBody({ messages: [assistant], tools }, { ...call, maxOutput: null });
  return JSON.parse(JSON.stringify(messages.find(({ role }) => role === 'assistant')));
}

const partOf = (reply: ModelReply) => ({ text: reply.text, calls: reply.calls.map(({ tool, args }) => ({ tool, args })) });
const size = fc.integer({ min: 1, max: 200 });

test(
  `a good reply is read as it was told, in any manner and however it is torn (seed ${seed})`,
  async () => {
    await fc.assert(
      fc.asyncProperty(told, manner, size, async (reply, how, piece) => {
        const got = await play(wireOf(reply, how), piece);
        if (got instanceof ModelError) throw got;
        expect(partOf(got)).toEqual({ text: reply.text.join(''), calls: JSON.parse(JSON.stringify(reply.calls)) });
        expect(got.cut).toBeUndefined();
        expect(new Set(got.calls.map(({ id }) => id)).size).toBe(got.calls.length);
        const hasThoughts = how.shape !== 'whole' && how.thoughts !== 'none';
        expect(got.echo !== undefined).toBe(hasThoughts);
        if (!hasThoughts || got.calls.length === 0) return;
        const back = JSON.stringify(sentBack(got, { backend: 'main', model: 'm', dialect: firstDialect(backend) }));
        expect(back).toContain('"I read."');
        expect(back.split(JSON.stringify(signed).slice(1, -1))).toHaveLength(got.calls.length + 1);
      }),
      settings,
    );
  },
  timeoutMs,
);

test(
  `a reply that is cut at any byte is never taken for the whole (seed ${seed})`,
  async () => {
    await fc.assert(
      fc.asyncProperty(told, manner, size, fc.nat(), fc.constantFrom('closed', 'broken'), async (reply, how, piece, at, ends) => {
        const body = wireOf(reply, how);
        const got = await play(body.subarray(0, at % body.length), piece, ends);
        if (got instanceof ModelError || got.cut !== undefined) return;
        // It is whole if all of it was there before the cut.
        expect(partOf(got)).toEqual({ text: reply.text.join(''), calls: JSON.parse(JSON.stringify(reply.calls)) });
      }),
      settings,
    );
  },
  timeoutMs,
);

const breakage = fc.array(
  fc.record({
    at: fc.nat(),
    cut: fc.nat({ max: 40 }),
    put: fc.oneof(
      fc.uint8Array({ maxLength: 8 }),
      fc
        .constantFrom(
          '\n\n',
          'data: ',
          '[DONE]',
          'null',
          '{}',
          '[]',
          '"',
          '\\u0000',
          '\\ud83d',
          '<think>',
          '</think>',
          '"error":',
          '1e999',
          '<html>',
        )
        .map((text) => new TextEncoder().encode(text)),
    ),
  }),
  { minLength: 1, maxLength: 6 },
);
test(
  `a broken reply is a reply or an error, and never a crash or a hang (seed ${seed})`,
  async () => {
    await fc.assert(
      fc.asyncProperty(told, manner, size, breakage, async (reply, how, piece, faults) => {
        let body = wireOf(reply, how);
        for (const { at, cut, put } of faults) {
          const from = at % (body.length + 1);
          body = Buffer.concat([body.subarray(0, from), put, body.subarray(from + cut)]);
        }
        const got = await play(body, piece);
        if (got instanceof ModelError) expect(got.code).toMatch(/^[a-z-]+$/);
        else expect(got.text.trim() !== '' || got.calls.length > 0).toBe(true);
      }),
      settings,
    );
  },
  timeoutMs,
);

/** Any JSON in the place of any field. */
test(
  `a field of any type is no crash (seed ${seed})`,
  async () => {
    const field = fc.constantFrom(
      'choices',
      'index',
      'delta',
      'message',
      'content',
      'tool_calls',
      'function',
      'name',
      'arguments',
      'id',
      'finish_reason',
      'usage',
      'error',
      'refusal',
      'reasoning_content',
      'reasoning_details',
      'thinking_blocks',
      'thinking',
      'signature',
      'extra_content',
      'base_resp',
      'type',
      'object',
      'text',
    );
    const value = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom(-1, 1e308, '', 'null', [null], [[]], { toString: 1 }));
    await fc.assert(
      fc.asyncProperty(
        told,
        manner,
        size,
        fc.array(fc.tuple(field, value), { minLength: 1, maxLength: 3 }),
        async (reply, how, piece, changes) => {
          const changed = (it: unknown): unknown => {
            if (Array.isArray(it)) return it.map(changed);
            if (typeof it !== 'object' || it === null) return it;
            const own = { usage: null, error: null, ...it };
            return Object.fromEntries(
              Object.entries(own).map(([key, old]) => {
                const change = changes.find(([name]) => name === key);
                return [key, change ? change[1] : changed(old)];
              }),
            );
          };
          const lines = chunksOf(reply, how).map((it) => `data: ${JSON.stringify(changed(it))}\n\n`);
          const got = await play(Buffer.from(`${lines.join('')}data: [DONE]\n\n`), piece);
          if (!(got instanceof ModelError)) expect(got.text.trim() !== '' || got.calls.length > 0).toBe(true);
        },
      ),
      settings,
    );
  },
  timeoutMs,
);
