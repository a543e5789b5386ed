import fc from 'fast-check';
import { expect, it } from 'vitest';
import { toldCost, toldTokens } from '../../roster/told-usage.ts';

it.each([
  [
    { prompt_tokens: 20, completion_tokens: 5 },
    { inputTokens: 20, outputTokens: 5 },
  ],
  [
    { prompt_tokens: 20, completion_tokens: 5, total_tokens: 25 },
    { inputTokens: 20, outputTokens: 5 },
  ],
  [
    { input_tokens: 20, output_tokens: 5 },
    { inputTokens: 20, outputTokens: 5 },
  ],
  // Thoughts that only the total counts are paid for too.
  [
    { prompt_tokens: 20, completion_tokens: 5, total_tokens: 125 },
    { inputTokens: 20, outputTokens: 105 },
  ],
  [
    { prompt_tokens: 20, total_tokens: 25 },
    { inputTokens: 20, outputTokens: 5 },
  ],
  // Thoughts and a cached prompt that are not in their wholes.
  [
    { prompt_tokens: 20, completion_tokens: 5, completion_tokens_details: { reasoning_tokens: 800 } },
    { inputTokens: 20, outputTokens: 805 },
  ],
  [
    { prompt_tokens: 20, completion_tokens: 805, completion_tokens_details: { reasoning_tokens: 800 } },
    { inputTokens: 20, outputTokens: 805 },
  ],
  [
    { prompt_tokens: 3, completion_tokens: 5, cache_read_input_tokens: 20_000 },
    { inputTokens: 20_003, outputTokens: 5 },
  ],
  [
    { prompt_tokens: 20_003, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 20_000 } },
    { inputTokens: 20_003, outputTokens: 5 },
  ],
  [
    { prompt_tokens: 20, completion_tokens: 5, total_tokens: 3 },
    { inputTokens: 20, outputTokens: 5 },
  ],
])('of %j the tokens are %j', (usage, tokens) => {
  expect(toldTokens(usage)).toEqual(tokens);
});

it.each([
  [{ cost: 0.5 }, 0.5],
  [{ cost: 0.5, is_byok: true, cost_details: { upstream_inference_cost: 2 } }, 2.5],
  [{ cost: 0.5, is_byok: false, cost_details: { upstream_inference_cost: 2 } }, 0.5],
  [{ cost: 0.5, is_byok: true, cost_details: null }, 0.5],
  [{ cost: -1 }, null],
  [{}, null],
])('of %j the cost is %j', (usage, cost) => {
  expect(toldCost(usage)).toBe(cost);
});

it('whatever a server reports, tokens are whole numbers and a cost is a finite number, neither below zero', () => {
  const field = fc.oneof(fc.double(), fc.integer(), fc.maxSafeNat(), fc.string(), fc.constant(null), fc.constant(undefined));
  const usage = fc.record(
    {
      ...{ prompt_tokens: field, completion_tokens: field, total_tokens: field, cost: field, is_byok: fc.boolean() },
      completion_tokens_details: fc.oneof(field, fc.record({ reasoning_tokens: field })),
      prompt_tokens_details: fc.oneof(field, fc.record({ cached_tokens: field })),
      cost_details: fc.oneof(field, fc.record({ upstream_inference_cost: field })),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.oneof(usage, fc.anything()), (reported) => {
      const tokens = toldTokens(reported);
      for (const count of tokens ? [tokens.inputTokens, tokens.outputTokens] : [])
        expect(Number.isSafeInteger(count) && count >= 0).toBe(true);
      const cost = toldCost(reported);
      if (cost !== null) expect(Number.isFinite(cost) && cost >= 0).toBe(true);
    }),
  );
});
