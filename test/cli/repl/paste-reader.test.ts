import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PasteReader, type Piece } from '../../../cli/repl/paste-reader.ts';

const begin = '\u001b[200~';
const end = '\u001b[201~';

/** Pieces of chunks, with neighbours of one kind as one. */
function pieces(chunks: readonly string[]): Piece[] {
  const reader = new PasteReader();
  const all: Piece[] = [];
  for (const chunk of chunks) {
    for (const piece of reader.read(chunk)) {
      const last = all.at(-1);
      if (last?.kind === 'keys' && piece.kind === 'keys') all[all.length - 1] = { kind: 'keys', text: last.text + piece.text };
      else all.push(piece);
    }
  }
  return all;
}
const keys = (text: string): Piece => ({ kind: 'keys', text });
const pasted = (text: string): Piece => ({ kind: 'paste', text });

describe('a marked paste', () => {
  it('is one piece with its line breaks, whatever it looks like', () => {
    expect(pieces([`a${begin}/quit\r\n  two\rthree\u0003${end}b`])).toEqual([
      keys('a'),
      pasted('/quit\n  two\nthree\u0003'),
      keys('b'),
    ]);
  });

  it('is the same in any chunks', () => {
    const stream = `ab${begin}one\r  two\u001b[A${end}cd\u001b[A${begin}x${end}`;
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length), { maxLength: 12 }), (cuts) => {
        const at = [0, ...cuts.toSorted((a, b) => a - b), stream.length];
        const chunks = at.slice(1).map((to, i) => stream.slice(at[i], to));
        // An Escape alone in a chunk is the Escape key.
        fc.pre(!chunks.includes('\u001b') && !chunks.includes(''));
        expect(pieces(chunks)).toEqual([keys('ab'), pasted('one\n  two\u001b[A'), keys('cd\u001b[A'), pasted('x')]);
      }),
    );
  });

  it('that never ends gives the keyboard back at Ctrl-C', () => {
    expect(pieces([`${begin}one`, 'two', '\u0003', 'x'])).toEqual([pasted('onetwo'), keys('x')]);
  });
});

describe('without marks', () => {
  it('lines are keys, however fast they come', () => {
    expect(pieces(['one\rtwo\r', 'three\r'])).toEqual([keys('one\rtwo\rthree\r')]);
    expect(pieces(['/tasks\r'])).toEqual([keys('/tasks\r')]);
    expect(pieces(['one\r', 'two\r'])).toEqual([keys('one\rtwo\r')]);
    expect(pieces(['\rfour'])).toEqual([keys('\rfour')]);
    expect(pieces(['one\r\u0003'])).toEqual([keys('one\r\u0003')]);
  });

  it('an Escape alone is a key at once', () => {
    expect(pieces(['\u001b'])).toEqual([keys('\u001b')]);
  });

  it('Shift-Enter is a new line where the terminal reports it', () => {
    expect(pieces(['a\u001b[13;2ub\u001b[27;2;13~'])).toEqual([keys('a\u001b\rb\u001b\r')]);
  });
});
