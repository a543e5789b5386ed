import { expect, test } from 'vitest';
import { compact } from '../../../actors/sub-agent/compaction.ts';
import type { Message } from '../../../machines/conversation.ts';
import { estimateTokens } from '../../../roster/tokens.ts';

const call = (id: string) => ({ id, tool: 'read', args: {}, effects: 'none' as const });
const turn = (n: number, chars: number): Message[] => [
  { role: 'assistant', text: `look ${n}`, calls: [call(`c${n}`)] },
  { role: 'tool', call: `c${n}`, text: `${n}`.repeat(chars) },
];
const history = (turns: number, chars: number): Message[] => [
  { role: 'user', text: 'the instruction' },
  ...Array.from({ length: turns }, (_, n) => turn(n, chars)).flat(),
  { role: 'user', text: 'the correction' },
];
const sizeOf = (messages: readonly Message[]) => messages.reduce((sum, { text }) => sum + estimateTokens(text), 0);

test('a history that fits is left alone', () => {
  const messages = history(3, 100);
  expect(compact(messages, 10_000)).toEqual({ messages, done: null });
});

test('long tool results of earlier turns are clipped first, and every turn is still there', () => {
  const messages = history(4, 4_000);
  const { messages: smaller, done } = compact(messages, 3_500);
  expect(done).toContain('clipped');
  expect(smaller).toHaveLength(messages.length);
  expect(sizeOf(smaller)).toBeLessThan(3_500);
  expect(smaller.at(-2)).toEqual(messages.at(-2));
});

test('compaction keeps all that operators said and leaves no tool result without its call', () => {
  const { messages, done } = compact(history(60, 600), 1_500);
  expect(done).toContain('left out');
  expect(messages.filter(({ role }) => role === 'user').map(({ text }) => text)).toEqual([
    'the instruction',
    expect.stringContaining('were left out'),
    'the correction',
  ]);
  const calls = messages.flatMap((message) => (message.role === 'assistant' ? (message.calls ?? []).map(({ id }) => id) : []));
  for (const message of messages) if (message.role === 'tool') expect(calls).toContain(message.call);
});

test('thoughts of earlier turns go first, and the latest keep theirs', () => {
  const echo = { backend: 'a', model: 'm', message: { reasoning_content: 'hm '.repeat(1_000) }, calls: [] };
  const messages = history(4, 100).map((message) => (message.role === 'assistant' ? { ...message, echo } : message));
  const { messages: smaller } = compact(messages, 2_500);
  expect(smaller.flatMap((message) => (message.role === 'assistant' ? [message.echo !== undefined] : []))).toEqual([
    false,
    false,
    false,
    true,
  ]);
  expect(smaller.map(({ text }) => text)).toEqual(messages.map(({ text }) => text));
});
