import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeText, encodeText, formInWords, givenText, textLike } from '../../../../actors/tools/files/text-form.ts';

const formOf = (data: Buffer) => decodeText(data)?.form;
const marked = (text: string, encoding: 'utf8' | 'utf16le') => Buffer.from(`\uFEFF${text}`, encoding);

describe('the form of a text file', () => {
  it('is found in its bytes', () => {
    expect(formOf(Buffer.from('one\ntwö\n'))).toEqual({ encoding: 'utf-8', bom: false, lineEnds: 'lf' });
    expect(formOf(marked('one\r\ntwo\r\n', 'utf8'))).toEqual({ encoding: 'utf-8', bom: true, lineEnds: 'crlf' });
    expect(decodeText(marked('one\rtwo\r', 'utf8'))).toEqual({
      text: 'one\ntwo\n',
      form: { encoding: 'utf-8', bom: true, lineEnds: 'cr' },
    });
    expect(formOf(marked('one\r\ntwo\n', 'utf16le'))).toEqual({ encoding: 'utf-16le', bom: true, lineEnds: 'mixed' });
    expect(formOf(marked('one', 'utf16le').swap16())).toEqual({ encoding: 'utf-16be', bom: true, lineEnds: 'none' });
    expect(decodeText(Buffer.from([0x63, 0x61, 0x66, 0xe9, 0x20, 0x80]))).toEqual({
      text: 'café €',
      form: { encoding: 'windows-1252', bom: false, lineEnds: 'none' },
    });
    expect(formInWords(formOf(marked('a\r\nb', 'utf8'))!)).toBe('UTF-8 with a byte order mark, CRLF line ends');
  });

  it.each([
    ['zero bytes', [1, 0, 2]],
    ['control characters beside bytes that are not UTF-8', [0xe9, 0x01, 0x02]],
    ['half a letter of UTF-16', [0xff, 0xfe, 0x41]],
  ])('does not exist for %s', (_, bytes) => {
    expect(decodeText(Buffer.from(bytes))).toBeNull();
  });

  it('is kept byte for byte', () => {
    const lines = fc.array(fc.tuple(fc.string({ unit: 'binary' }), fc.constantFrom('\n', '\r\n', '\r', '')), { maxLength: 6 });
    const text = lines.map((rows) => rows.flat().join('').replaceAll('\0', ''));
    const bytes = fc.oneof(
      text.map((it) => Buffer.from(it)),
      text.map((it) => marked(it, 'utf8')),
      text.map((it) => marked(it, 'utf16le')),
      text.map((it) => marked(it, 'utf16le').swap16()),
      fc.uint8Array().map((it) => Buffer.from(it)),
    );
    fc.assert(
      fc.property(bytes, (data) => {
        const found = decodeText(data);
        if (found) expect(encodeText(found.text, found.form).toString('hex')).toBe(data.toString('hex'));
      }),
      { numRuns: 2_000 },
    );
  });

  it.each(['\n', '\r\n', '\r'])('gives a new text the line ends of the file (%j), whichever the model writes', (end) => {
    const { form } = decodeText(Buffer.from(`a${end}b${end}`))!;
    for (const text of ['x\ny\n', 'x\r\ny\r\n', `x${end}y${end}`])
      expect(encodeText(givenText(text, form), form).toString()).toBe(`x${end}y${end}`);
  });

  it('keeps the mixed line ends of the lines that stay', () => {
    const old = decodeText(Buffer.from('a\r\nb\n\r\n\nc\r\n'))!;
    expect(textLike(old, 'a\nnew\nb\n\n\nc\n')).toBe('a\r\nnew\r\nb\n\r\n\nc\r\n');
    expect(textLike(old, 'a\r\nb\n')).toBe('a\r\nb\n');
    expect(textLike(old, 'c')).toBe('c');
    const many = decodeText(Buffer.from(`${'\n'.repeat(200_000)}\r\n`))!;
    expect(textLike(many, '\n'.repeat(200_001))).toHaveLength(200_002);
  });

  it('takes no letter that its encoding lacks', () => {
    const { form } = decodeText(Buffer.from([0xe9]))!;
    expect(() => encodeText('a → b', form)).toThrow('Windows-1252, which has no →');
    expect(encodeText('“é”', form)).toEqual(Buffer.from([0x93, 0xe9, 0x94]));
  });
});
