import { expect, test } from 'vitest';
import { fittedJson } from '../../../bus/log/fitted.ts';

test('a message that fits stays as it is, to the last byte', () => {
  const message = { id: 'k3xq.0', output: 'ä'.repeat(1_000), none: undefined };
  const json = JSON.stringify(message);
  expect(fittedJson(message, Buffer.byteLength(json))).toBe(json);
});

test.each([
  ['Latin', 'x'],
  ['CJK', '漢'],
  ['emoji', '🧭'],
  ['signs that JSON escapes', '\u0001'],
])('the longest texts are cut until it fits, and say so: %s', (_, sign) => {
  const message = { id: 'k3xq.0', output: sign.repeat(500_000), salvage: { findings: ['short', sign.repeat(200_000)] } };
  const json = fittedJson(message, 100_000);
  expect(Buffer.byteLength(json)).toBeLessThanOrEqual(100_000);
  const { id, output, salvage } = JSON.parse(json) as typeof message;
  expect([id, salvage.findings[0]]).toEqual(['k3xq.0', 'short']);
  expect(output).toMatch(/\[… [\d,]+ more characters\]$/);
  expect(output.isWellFormed()).toBe(true);
});
