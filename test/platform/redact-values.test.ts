import { expect, test } from 'vitest';
import { maskValues } from '../../platform/redact-values.ts';

test('texts are masked by their form, and arguments of calls by the names of their fields too', () => {
  const value = {
    key: 'readme',
    text: 'use sk-abcdefghijklmnop',
    calls: [
      { id: 's1-0', args: { path: 'a.txt', password: 'hunter2', more: { token: { of: 1 }, url: 'https://ann:pw@host/' } } },
    ],
    token: null,
    n: 1,
  };
  expect(maskValues(value)).toEqual({
    value: {
      key: 'readme',
      text: 'use [Redacted]',
      calls: [
        {
          id: 's1-0',
          args: { path: 'a.txt', password: '[Redacted]', more: { token: '[Redacted]', url: 'https://[Redacted]@host/' } },
        },
      ],
      token: null,
      n: 1,
    },
    places: ['text', 'calls.0.args.password', 'calls.0.args.more.token', 'calls.0.args.more.url'],
  });
});
