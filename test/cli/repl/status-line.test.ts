import { expect, it } from 'vitest';
import { plain } from '../../../cli/render/paint.ts';
import { statusLineText } from '../../../cli/repl/status-line.ts';

const usage = { inputTokens: 12_000, outputTokens: 345, costUsd: 0.041, estimatedUsd: 0 };

it('the status line says what is under way, what waits, and what it has used', () => {
  expect(statusLineText({ running: 2, waiting: 1, usage }, plain)).toBe('2 running · 1 waits for you · 12k tokens, $0.04');
  expect(
    statusLineText({ running: 0, waiting: 3, usage: { ...usage, inputTokens: 0, outputTokens: 0, costUsd: 0 } }, plain),
  ).toBe('0 running · 3 wait for you');
});

it('there is none when nothing is under way', () => {
  expect(statusLineText({ running: 0, waiting: 0, usage }, plain)).toBe('');
});
