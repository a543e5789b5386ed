import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ChatMessage } from '../../roster/conversation.ts';
import { jsonIn } from '../../roster/json-in-text.ts';
import { answerSoFar, LiveAnswer } from '../../roster/live-answer.ts';
import { readTextReply, textTranscript } from '../../roster/text-tools.ts';
import { nativeTranscript } from '../../roster/transcript.ts';

const call = (id: string) => ({ id, tool: 'read_file', args: { path: id } });

const reader = { backend: 'a', model: 'm', thoughts: 'back' as const, pictures: 'words' as const };

test('a partial reply is marked as interrupted, the correction follows, and system texts come first', () => {
  const messages: ChatMessage[] = [
    { role: 'system', text: 'Be brief.' },
    { role: 'user', text: 'Fill the form.' },
    { role: 'assistant', text: 'I use the personal', unfinished: true },
    { role: 'user', text: 'Use my work email.' },
    { role: 'system', text: 'Be kind.' },
  ];
  expect(nativeTranscript(messages, reader)).toEqual([
    { role: 'system', content: 'Be brief.\n\nBe kind.' },
    { role: 'user', content: 'Fill the form.' },
    { role: 'assistant', content: 'I use the personal [interrupted here by the operator]' },
    { role: 'user', content: 'Use my work email.' },
  ]);
});

test('every call has its result right after it, even if a correction came between or it never ran', () => {
  const messages: ChatMessage[] = [
    { role: 'user', text: 'a' },
    { role: 'assistant', text: '', calls: [call('1'), call('2')] },
    { role: 'user', text: 'steer' },
    { role: 'tool', call: '1', text: 'one' },
    { role: 'tool', call: 'gone', text: 'stray' },
  ];
  const result = nativeTranscript(messages, reader);
  expect(result.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool', 'tool', 'user']);
  const [one, two] = (result[1] as { tool_calls: { id: string }[] }).tool_calls;
  expect(result[2]).toEqual({ role: 'tool', tool_call_id: one!.id, content: 'one' });
  expect(result[3]).toMatchObject({ tool_call_id: two!.id, content: expect.stringContaining('Not run') });
  expect(result[4]).toEqual({ role: 'user', content: 'steer\n\nResult of a tool:\nstray' });
});

test('arguments that are no object are sent back as one', () => {
  const [, message] = nativeTranscript([{ role: 'assistant', text: '', calls: [{ id: '1', tool: 't', args: '{"cut' }] }], reader);
  expect(message).toMatchObject({ tool_calls: [{ function: { arguments: '{"not_an_object":"{\\"cut"}' } }] });
});

const tools = [{ name: 'read_file', description: '', parameters: {} }];

test('tools in text: the history has the form that the model is asked to write', () => {
  const result = textTranscript(
    {
      tools,
      messages: [
        { role: 'user', text: 'a' },
        { role: 'assistant', text: 'Answer one.' },
        { role: 'user', text: 'b' },
        { role: 'assistant', text: 'half', unfinished: true },
        { role: 'user', text: 'c' },
        { role: 'assistant', text: '', calls: [call('1')] },
      ],
    },
    'words',
  );
  expect(result.slice(1).map(({ content }) => content)).toEqual([
    'a',
    '{"answer":"Answer one."}',
    'b',
    'half [interrupted here by the operator]',
    'c',
    '{"tool":"read_file","args":{"path":"1"}}',
    expect.stringContaining('Not run'),
  ]);
});

test.each([
  [
    '[{"tool":"a","args":{}},{"tool":"b"}]',
    {
      text: '',
      calls: [
        { tool: 'a', args: {} },
        { tool: 'b', args: {} },
      ],
    },
  ],
  ['{"answer": {"n": 1}}', { text: '{"n":1}', calls: [] }],
  ['[1] says so {maybe}', { text: '[1] says so {maybe}', calls: [] }],
  ['{"read_file": {"path": "a"}}', null],
  ['{"tool": "a", "args"', null],
])('tools in text: %s is read or refused', (raw, expected) => {
  expect(readTextReply(raw, tools)).toEqual(expected);
});

test('the streamed answer only grows, wherever the reply is split, and ends as the whole answer', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', minLength: 1 }),
      fc.constantFrom('', '```json\n', '<think>hm {</think>\n'),
      fc.boolean(),
      (answer, before, isForm) => {
        const plain = !isForm && /^[\w]/.test(answer) ? answer : null;
        const raw = before + (plain !== null && before !== '```json\n' ? plain : JSON.stringify({ answer }));
        const live = new LiveAnswer();
        let told = '';
        for (let at = 1; at <= raw.length; at++) {
          told += live.push(raw[at - 1]!);
          expect(answerSoFar(raw.slice(0, at))).toBe(told);
        }
        expect(told).toBe(answer);
      },
    ),
  );
});

test.each([
  ['a {b} then {"c": "}"} end', { c: '}' }],
  ['<think>{"no": 1}</think>[1, 2]', [1, 2]],
  ['{"a": {"b": 1}', undefined],
  ['{"a": {"b": 1},}', undefined],
  ['nothing', undefined],
])('JSON in %s is found if it is complete', (text, expected) => {
  expect(jsonIn(text)).toEqual(expected);
});
