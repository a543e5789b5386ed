import { expect, test } from 'vitest';
import { lenientUtfText, utfText } from '../../platform/utf-text.ts';

test.each([
  ['UTF-8', Buffer.from('é: 1')],
  ['UTF-8 with a byte order mark', Buffer.from('\uFEFFé: 1')],
  ['UTF-16 LE', Buffer.from('\uFEFFé: 1', 'utf16le')],
  ['UTF-16 BE', Buffer.from('\uFEFFé: 1', 'utf16le').swap16()],
])('%s is read', (_, bytes) => {
  expect([utfText(bytes), lenientUtfText(bytes)]).toEqual(['é: 1', 'é: 1']);
});

test('other bytes are refused, or read with a replacement character', () => {
  const bytes = Buffer.from('caf\xe9', 'latin1');
  expect(() => utfText(bytes)).toThrow(TypeError);
  expect(lenientUtfText(bytes)).toBe('caf\ufffd');
});
