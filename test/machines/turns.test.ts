import { expect, test } from 'vitest';
import type { Message } from '../../machines/conversation.ts';
import { lastTurns } from '../../machines/turns.ts';

const user = (text: string): Message => ({ role: 'user', text });
const talk: Message[] = [
  user('first'),
  { role: 'assistant', text: '', calls: [{ id: '1', tool: 't', args: {}, effects: 'none' }] },
  { role: 'tool', call: '1', text: 'x'.repeat(100) },
  user('second'),
  user('and more'),
  { role: 'assistant', text: 'yes' },
];

test('a conversation that fits stays as it is', () => {
  expect(lastTurns(talk, 1_000)).toBe(talk);
});

test('the oldest turns go as a whole, so no result is left without its call', () => {
  for (let chars = 20; chars < 115; chars++) expect(lastTurns(talk, chars)).toEqual(talk.slice(3));
});

test('the newest turn stays at any length', () => {
  expect(lastTurns(talk, 1)).toEqual(talk.slice(3));
  expect(lastTurns([user('x'.repeat(50))], 1)).toHaveLength(1);
});
