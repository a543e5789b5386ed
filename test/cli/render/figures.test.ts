import { expect, it } from 'vitest';
import { usageText } from '../../../cli/render/figures.ts';

it('a cost that contains an estimate is shown as an upper bound, even without tokens', () => {
  expect(usageText({ inputTokens: 1200, outputTokens: 300, costUsd: 0.31 })).toBe('1.5k tokens, $0.31');
  expect(usageText({ inputTokens: 1200, outputTokens: 300, costUsd: 0.31, estimatedUsd: 0.1 })).toBe('1.5k tokens, up to $0.31');
  expect(usageText({ inputTokens: 0, outputTokens: 0, costUsd: 0.1, estimatedUsd: 0.1 })).toBe('0 tokens, up to $0.10');
  expect(usageText({ inputTokens: 0, outputTokens: 0, costUsd: 0 })).toBe('');
});
