import { expect, it } from 'vitest';
import { maskSecrets } from '../../platform/redact.ts';

it.each([
  ['connect nats://ann:secret@host failed', 'connect nats://[Redacted]@host failed'],
  ['\\nnats://ann:secret@host', '\\nnats://[Redacted]@host'],
  ['1nats://ann:secret@host', '1nats://[Redacted]@host'],
  ['token eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl', 'token [Redacted]'],
  ['"eyJhbGciOiJI.eyJzdWIiOiIx.sig"', '"[Redacted]"'],
])('a secret is masked in: %s', (text, masked) => {
  expect(maskSecrets(text)).toBe(masked);
});

// With a pattern that tries every start against the rest of the text, each of these takes hours.
it.each([
  ['one letter', 'a'],
  ['schemes', 'a.'],
  ['half a URL', 'nats://'],
  ['beginnings of tokens', 'eyJ'],
  ['beginnings of tokens between dashes', '-eyJabcdefgh'],
  ['bearers', 'Bearer '],
  ['spaces behind a bearer', ' '],
  ['keys', 'sk-'],
  ['open fields', '"key":"'],
  ['escaped quotes', '"key":"\\"'],
])('two million characters of %s are scanned in linear time', (_, part) => {
  const text = part.repeat(Math.ceil(2_000_000 / part.length));
  expect(maskSecrets(`Bearer${text}`).length).toBeGreaterThan(0);
});
