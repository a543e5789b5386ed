import { expect, test } from 'vitest';
import { SteeringLimits } from '../../../actors/host/steering-limits.ts';
import { enqueue, type Ledger } from '../../../machines/steering-ledger.ts';

const steer = (text = 'x') => ({ type: 'steer', text, urgency: 'now' }) as const;
const waiting = (count: number, text = 'x'): Ledger =>
  Array.from({ length: count }, (_, n) => n).reduce<Ledger>((all, n) => enqueue(all, { id: `s${n}`, kind: 'steer', text }), []);

test('a task takes no more messages of one type in a minute than its limit, and as many again in the next', () => {
  const limits = new SteeringLimits();
  const taken = (from: number) => Array.from({ length: 700 }, (_, n) => limits.exceeded(steer(), from + n, []));
  const first = taken(0);
  expect(first.filter((reason) => reason === null)).toHaveLength(600);
  expect(first.at(-1)).toBe('the task takes at most 600 messages of the type steer in a minute: send it again later');
  expect(taken(60_000).filter((reason) => reason === null)).toHaveLength(600);
});

test('a flood of corrections leaves room for answers and pauses', () => {
  const limits = new SteeringLimits();
  for (let n = 0; n < 1_000; n++) limits.exceeded(steer(), n, []);
  expect(limits.exceeded({ type: 'answer', question: 'q1', text: 'yes' }, 1_000, [])).toBeNull();
  expect(limits.exceeded({ type: 'pause' }, 1_000, [])).toBeNull();
});

test('no more messages wait for a model call than fit', () => {
  const limits = new SteeringLimits();
  expect(limits.exceeded(steer(), 0, waiting(99))).toBeNull();
  expect(limits.exceeded(steer(), 0, waiting(100))).toContain('100 messages wait for the next model call');
  expect(limits.exceeded(steer('x'.repeat(32_768)), 0, waiting(8, 'x'.repeat(32_768)))).toContain('8 messages wait');
});

test('a cancel is never refused', () => {
  const limits = new SteeringLimits();
  for (let n = 0; n < 1_000; n++) expect(limits.exceeded({ type: 'cancel' }, n, waiting(100))).toBeNull();
});
