import { expect, it } from 'vitest';
import { shownJson } from '../../platform/shown-json.ts';

const limits = { textChars: 100, entries: 3, totalChars: 1_000 };
const shown = (value: unknown, more: object = {}) => shownJson(value, { ...limits, ...more });

it('secrets are masked by name at any depth and of any type, and by form in values and names', () => {
  const secret = 'sk-abcdefghijklmnop1234';
  const text = JSON.stringify(shown({ a: [{ apiKey: 12_345, Password: ['geheim'] }], [secret]: `use ${secret}`, token: null }));
  for (const each of [secret, '12345', 'geheim']) expect(text).not.toContain(each);
  expect(text).toContain('"token":null');
});

it('a secret is masked before its text is cut', () => {
  const text = String(shown(`${'x'.repeat(80)} nats://ann:geheim-und-lang@host ${'y'.repeat(500)}`));
  expect(text).not.toContain('geheim');
});

it('lists keep their last entries, objects their first, and say what is left out', () => {
  expect(shown([1, 2, 3, 4, 5])).toEqual(['(2 earlier ones left out)', 3, 4, 5]);
  expect(shown({ a: 1, b: 2, c: 3, d: 4 })).toEqual({ a: 1, b: 2, c: 3, '…': '(1 more left out)' });
});

it('the whole is bounded, however deep, wide or long', () => {
  let deep: unknown = 'x';
  for (let i = 0; i < 10_000; i++) deep = { deep };
  expect(JSON.stringify(shown(deep)).length).toBeLessThan(1_000);
  const wide = Array.from({ length: 100 }, () => Array.from({ length: 100 }, () => 'y'.repeat(1_000)));
  expect(JSON.stringify(shown(wide, { entries: 100 })).length).toBeLessThan(6_000);
  expect(JSON.stringify(shown('z'.repeat(5_000_000))).length).toBeLessThan(200);
});

it('values that are not JSON, and names of Object, do no harm', () => {
  expect(shown({ f: () => {}, n: 1n, s: Symbol('x'), e: new Error('broken') })).toEqual({
    f: 'function',
    n: 'bigint',
    s: 'symbol',
    '…': '(1 more left out)',
  });
  const named = shown(JSON.parse('{"__proto__":{"x":1}}')) as object;
  expect(Object.getPrototypeOf(named)).toBe(Object.prototype);
  expect(Object.hasOwn(named, '__proto__')).toBe(true);
});
