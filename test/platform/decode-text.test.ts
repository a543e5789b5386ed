import { expect, test } from 'vitest';
import { decodeText } from '../../platform/decode-text.ts';

test.each([
  ['UTF-8', Buffer.from('é: 1')],
  ['UTF-8 with a byte order mark', Buffer.from('\uFEFFé: 1')],
  ['UTF-16 LE', Buffer.from('\uFEFFé: 1', 'utf16le')],
  ['UTF-16 BE', Buffer.from('\uFEFFé: 1', 'utf16le').swap16()],
])('%s is read', (_, bytes) => {
  expect(decodeText(bytes)).toBe('é: 1');
});

test('other bytes are refused', () => {
  expect(() => decodeText(Buffer.from('caf\xe9', 'latin1'))).toThrow(TypeError);
});
