import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readFileTool } from '../../../../actors/tools/files/read-file.ts';
import { maxOutputChars } from '../../../../actors/tools/tool.ts';
import { Folder } from './folder.ts';

let made: Folder;
beforeEach(async () => {
  made = await Folder.make();
});
afterEach(() => made.remove());
const read = (args: unknown) => made.text(readFileTool, args);
/** The text without the remark below it, and the remark. */
const parts = (text: string) =>
  /^(?<words>.*?)\n?(?<remark>\[[^\n]*\])?$/s.exec(text)!.groups as { words: string; remark?: string };

describe('read_file', () => {
  it('gives a short file as it is, and says what it read', async () => {
    await made.write('docs/a.txt', 'one\ntwo\n');
    expect(await made.run(readFileTool, { path: './docs/a.txt' })).toEqual({ text: 'one\ntwo\n', sources: ['docs/a.txt'] });
    await made.write('empty.txt', '');
    expect(await read({ path: 'empty.txt' })).toBe('(the file is empty)');
  });

  it('reads some lines, and the last ones', async () => {
    await made.write('a.txt', 'one\ntwo\nthree\nfour\n');
    expect(await read({ path: 'a.txt', line: 2, lines: 2 })).toBe(
      'two\nthree\n[lines 2 to 3, bytes 4 to 14 of 19; go on with offset 14]',
    );
    expect(await read({ path: 'a.txt', offset: 14 })).toBe('four\n[bytes 14 to 19 of 19; the end of the file]');
    expect(await read({ path: 'a.txt', line: -1 })).toBe('four\n[bytes 14 to 19 of 19; the end of the file]');
    expect(await read({ path: 'a.txt', line: -2, lines: 1 })).toContain('three\n[');
    expect(await read({ path: 'a.txt', line: -9 })).toBe('one\ntwo\nthree\nfour\n');
  });

  it('says how long a file is that ends before the place', async () => {
    await made.write('a.txt', 'one\ntwo\n');
    await expect(read({ path: 'a.txt', line: 3 })).rejects.toThrow('a.txt has only 2 lines (8 bytes)');
    await expect(read({ path: 'a.txt', offset: 8 })).rejects.toThrow('a.txt has only 8 bytes');
    await expect(read({ path: 'a.txt', offset: 2, line: 1 })).rejects.toThrow('not both');
  });

  it('reads any file to its end, part by part, and loses nothing and splits no character', async () => {
    const wide = '👩‍👩‍👧‍👦é\u0301';
    const text = Array.from({ length: 3_000 }, (_, i) => `${i} ${wide.repeat(i % 7)}`).join('\r\n') + wide.repeat(5_000);
    const utf16 = Buffer.from(`\uFEFF${text}`, 'utf16le');
    for (const data of [Buffer.from(text), Buffer.from(`\uFEFF${text}`), utf16, Buffer.from(utf16).swap16()]) {
      await made.write('long.txt', data);
      let whole = '';
      for (let offset: number | undefined; ; ) {
        const { words, remark } = parts(await read({ path: 'long.txt', ...(offset !== undefined && { offset }) }));
        expect(words.length).toBeLessThanOrEqual(maxOutputChars);
        expect(words).not.toMatch(/^[\u200D\u0301]|\u200D$/);
        // A part that ends with a line end has it in front of the remark.
        whole +=
          words + (whole.length + words.length < text.replaceAll('\r\n', '\n').length && !whole.includes('2999') ? '\n' : '');
        const next = /go on with offset (\d+)/.exec(remark ?? '');
        if (!next) break;
        offset = Number(next[1]);
      }
      expect(whole.replaceAll('\n', '').length).toBe(text.replaceAll('\r\n', '').length);
      expect(whole.replaceAll('\n', '')).toBe(text.replaceAll('\r\n', ''));
    }
  });

  it('reads from a file of five gigabytes by bytes and its last lines', async () => {
    const size = 5_000_000_000;
    const handle = await open(join(made.workspace, 'huge.log'), 'w');
    // Only these parts take space on the disk; the rest of the file is a hole.
    await handle.write('a line\n'.repeat(10_000), 0);
    await handle.write('\nthird from the end\nsecond from the end\nthe last: ü\n', size - 53);
    await handle.write(`\n${'in the middle '.repeat(4000)}\n`, 2_500_000_000);
    await handle.close();
    expect(await read({ path: 'huge.log', line: 9_999, lines: 1 })).toMatch(/^a line\n\[lines 9999 to 9999, /);
    const { text } = await made.run(readFileTool, { path: 'huge.log', offset: 2_500_000_001 });
    expect(text).toMatch(/^in the middle in .*\[bytes 2500000001 to 25000\d+ of 5000000000; go on with offset 25000\d+\]$/s);
    expect(await read({ path: 'huge.log', line: -2 })).toMatch(/^second from the end\nthe last: ü\n\[bytes /);
  });

  it('names an unusual form and keeps it out of the text', async () => {
    await made.write('w.txt', Buffer.from('\uFEFFone\r\ntwo\r\n'));
    expect(await read({ path: 'w.txt' })).toBe('one\ntwo\n[UTF-8 with a byte order mark, CRLF line ends]');
    await made.write('old.txt', Buffer.from('caf\xe9', 'latin1'));
    expect(await read({ path: 'old.txt' })).toBe('café\n[Windows-1252]');
    await made.write('wide.txt', Buffer.from('\uFEFFwide', 'utf16le'));
    expect(await read({ path: 'wide.txt' })).toBe('wide\n[UTF-16 LE]');
  });
});
