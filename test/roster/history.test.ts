import fc from 'fast-check';
import type { ChatCompletionContentPart, ChatCompletionMessageParam } from 'openai/resources/chat/completions';
import { expect, test } from 'vitest';
import type { ChatMessage, Picture } from '../../roster/conversation.ts';
import { type Dialect, firstDialect } from '../../roster/dialect.ts';
import { begunAnew, turnsOf } from '../../roster/history.ts';
import { parseRoster } from '../../roster/load.ts';
import { requestBody } from '../../roster/request-body.ts';
import { nativeTranscript } from '../../roster/transcript.ts';

const tools = [{ name: 'read_file', description: 'Reads a file.', parameters: { type: 'object' } }];
const schema = { name: 'plan', json: { type: 'object', properties: {} } };
const { backends } = parseRoster('backends: { a: { base_url: "http://127.0.0.1/v1", model: m, tier: local } }', '/roster.yaml');
const full = firstDialect(backends.a!);
const dialects: readonly Dialect[] = [
  full,
  { ...full, tools: 'text' },
  { ...full, thoughts: 'required' },
  { ...full, thoughts: 'dropped' },
  { ...full, structured: 'prompt' },
  { ...full, structured: 'tools' },
  { ...full, pictures: 'parts' },
  { ...full, pictures: 'parts', tools: 'text', system: 'user' },
];

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.constantFrom('', ' ', '\n\n', '\u200b', '\ud83d', 'x\udc00', `a${begunAnew}b`, begunAnew, `${begunAnew}${begunAnew}c`),
);
const id = fc.constantFrom('', 's1-0', 's1-1', 'functions.read_file:0', 'call/ü', 'x'.repeat(200));
const name = fc.oneof(
  fc.constantFrom('read_file', 'functions.read_file', '1st', '', '-', '__proto__', 'ü'.repeat(90)),
  fc.string({ maxLength: 80 }),
);
const args = fc.oneof(fc.constantFrom(null, 3, '{"cut', [1], { path: '\ud800' }), fc.jsonValue({ maxDepth: 2 }));
/** Of this backend and of another one, with more and with fewer calls than the message has. */
const echo = fc.record({
  backend: fc.constantFrom('a', 'b'),
  model: fc.constant('m'),
  message: fc.constantFrom({}, { reasoning_content: '' }, { reasoning_details: [{ type: 'reasoning.text', text: 'hm' }] }),
  calls: fc.array(fc.constantFrom({}, { extra_content: { google: { thought_signature: 's' } } }), { maxLength: 3 }),
});
const picture: fc.Arbitrary<Picture> = fc.record(
  {
    ...{ ref: fc.constantFrom('k3xq.1/s1-0/made-0', 'k3xq.1/s2-0/made-0'), type: fc.constant('image/png') },
    ...{ width: fc.nat(), height: fc.nat(), data: fc.constant('data:image/png;base64,AAAA'), unseen: text },
  },
  { requiredKeys: ['ref', 'type', 'width', 'height'] },
);
const message: fc.Arbitrary<ChatMessage> = fc.oneof(
  fc.record({ role: fc.constantFrom('system' as const, 'user' as const), text }),
  fc.record(
    {
      role: fc.constant('assistant' as const),
      text,
      calls: fc.array(fc.record({ id, tool: name, args }), { maxLength: 3 }),
      unfinished: fc.constant(true as const),
      echo,
    },
    { requiredKeys: ['role', 'text'] },
  ),
  fc.record(
    { role: fc.constant('tool' as const), call: id, text, images: fc.array(picture, { maxLength: 2 }) },
    { requiredKeys: ['role', 'call', 'text'] },
  ),
);
const history = fc.array(message, { maxLength: 14 });

const isText = (content: unknown): boolean => typeof content === 'string' && content.trim() !== '';
/** Texts and pictures, with a text before each picture. */
const areParts = (parts: readonly ChatCompletionContentPart[]): boolean =>
  parts.some(({ type }) => type === 'image_url') &&
  parts.every((part, at) => (part.type === 'text' ? isText(part.text) : parts[at - 1]?.type === 'text'));

/** What a strict server refuses in the messages of a request, in words; an empty list for a request that every server accepts. */
function faults(messages: readonly ChatCompletionMessageParam[]): string[] {
  const found: string[] = [];
  const ids = new Set<string>();
  let open: string[] = [];
  let last = 'system';
  for (const [at, it] of messages.entries()) {
    const { role } = it;
    if (role !== 'tool' && open.length > 0) found.push(`${at}: a call has no result`);
    if (role === 'system' && at > 0) found.push(`${at}: a system text in the middle`);
    if (role === 'assistant' && last !== 'user' && last !== 'tool') found.push(`${at}: assistant after ${last}`);
    if (role === 'user' && last === 'user') found.push(`${at}: user after user`);
    const isEmpty = role === 'user' && Array.isArray(it.content) ? !areParts(it.content) : !isText(it.content);
    const calls = role === 'assistant' ? (it.tool_calls ?? []) : [];
    if (isEmpty && (calls.length === 0 || it.content !== null)) found.push(`${at}: blank`);
    for (const call of calls) {
      if (call.type !== 'function') continue;
      if (!/^[a-zA-Z0-9]{9}$/.test(call.id) || ids.has(call.id)) found.push(`${at}: id ${call.id}`);
      if (!/^[a-zA-Z_][a-zA-Z0-9_-]{0,63}$/.test(call.function.name)) found.push(`${at}: name ${call.function.name}`);
      const value: unknown = JSON.parse(call.function.arguments);
      if (typeof value !== 'object' || value === null || Array.isArray(value)) found.push(`${at}: arguments`);
      ids.add(call.id);
      open.push(call.id);
    }
    if (role === 'tool') {
      if (open[0] !== it.tool_call_id) found.push(`${at}: a result without its call`);
      open = open.slice(1);
    }
    last = role;
  }
  if (open.length > 0) found.push('the last call has no result');
  if (last !== 'user' && last !== 'tool') found.push(`ends with ${last}`);
  if (/\\ud[89a-f]/i.test(JSON.stringify(messages)) || /\\\\ud[89a-f]/i.test(JSON.stringify(messages)))
    found.push('half a character');
  return found;
}

test('whatever happened before, every server accepts the history, in every dialect', () => {
  fc.assert(
    fc.property(
      history,
      fc.constantFrom(...dialects),
      fc.constantFrom({}, { tools }, { tools, toolChoice: 'none' as const }, { schema }),
      (messages, dialect, more) => {
        const body = requestBody({ messages, ...more }, { backend: 'a', model: 'm', dialect, maxOutput: null });
        expect(faults(body.messages)).toEqual([]);
        if (body.messages.some((it) => it.role === 'tool')) expect(body.tools).toBeDefined();
      },
    ),
    { numRuns: 3_000 },
  );
});

test('no word of the user, no result and no call is lost', () => {
  const word = fc.nat().map((n) => `w${n}.`);
  const said: fc.Arbitrary<ChatMessage> = fc.oneof(
    fc.record({ role: fc.constantFrom('system' as const, 'user' as const), text: word }),
    fc.record({ role: fc.constant('assistant' as const), text: word, unfinished: fc.constant(true as const) }),
  );
  fc.assert(
    fc.property(fc.array(said, { maxLength: 12 }), fc.array(fc.tuple(word, word), { maxLength: 4 }), (before, calls) => {
      const messages: ChatMessage[] = [
        ...before,
        { role: 'assistant', text: '', calls: calls.map(([path], at) => ({ id: `${at}`, tool: 'read_file', args: { path } })) },
        ...calls.map(([, result], at) => ({ role: 'tool' as const, call: `${at}`, text: result })).reverse(),
        { role: 'tool', call: 'gone', text: 'stray.' },
      ];
      const sent = JSON.stringify(nativeTranscript(messages, { backend: 'a', model: 'm', thoughts: 'back', pictures: 'words' }));
      const words = [...before.map((it) => it.text), ...calls.flat(), 'stray.'];
      for (const one of words) expect(sent).toContain(one);
    }),
  );
});

test('a longer history begins with the same messages, so that a server can reuse what it has read', () => {
  fc.assert(
    fc.property(history, history, (early, late) => {
      const short = turnsOf([...early, { role: 'user', text: 'u' }], false);
      const long = turnsOf([...early, { role: 'user', text: 'u' }, ...late.filter((it) => it.role !== 'tool')], false);
      expect(long.slice(0, short.length - 1)).toEqual(short.slice(0, -1));
    }),
  );
});

test('the halves of two backends stay apart', () => {
  const turns = turnsOf(
    [
      { role: 'user', text: 'Go.' },
      { role: 'assistant', text: `One half${begunAnew}Other half`, unfinished: true },
    ],
    false,
  );
  expect(turns).toMatchObject([
    { role: 'user', text: 'Go.' },
    { role: 'assistant', text: 'One half [broken off here]' },
    { role: 'user', text: 'Go on.' },
    { role: 'assistant', text: 'Other half [interrupted here by the operator]' },
    { role: 'user', text: 'Go on.' },
  ]);
});

test('an id that a model uses again names the call that came last', () => {
  const call = { id: 'x', tool: 'read_file', args: {} };
  const turns = turnsOf(
    [
      { role: 'assistant', text: '', calls: [call] },
      { role: 'tool', call: 'x', text: 'one' },
      { role: 'assistant', text: '', calls: [{ ...call }, { ...call }] },
      { role: 'tool', call: 'x', text: 'two' },
      { role: 'tool', call: 'x', text: 'three' },
    ],
    false,
  );
  const results = turns.flatMap((turn) => (turn.role === 'assistant' ? turn.calls.map(({ result }) => result) : []));
  expect(results).toEqual(['one', 'two', 'three']);
});
