import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ReplyReader } from '../../../roster/embedded/reply-reader.ts';
import { StopWords } from '../../../roster/embedded/stop-words.ts';
import { answerText, callText } from '../../../roster/embedded/tool-form.ts';

/** A text in pieces, cut at any place. */
const pieces = (text: string): fc.Arbitrary<string[]> =>
  fc.array(fc.nat(text.length), { maxLength: 8 }).map((cuts) => {
    const at = [0, ...cuts.sort((a, b) => a - b), text.length];
    return at.slice(1).map((end, i) => text.slice(at[i], end));
  });

function read(parts: readonly string[], finished = true) {
  const reader = new ReplyReader(false);
  const all = [...parts.flatMap((part) => reader.push(part)), ...reader.end(finished)];
  const join = (type: string) => all.flatMap((part) => (part.type === type && 'text' in part ? [part.text] : [])).join('');
  return { text: join('text'), args: join('args'), tools: all.flatMap((part) => (part.type === 'call' ? [part.tool] : [])) };
}

test('an answer is read the same however it is cut', () => {
  const text = 'He said "no" \\ left\nThen: {"tool": 1}';
  fc.assert(
    fc.property(pieces(answerText(text)), (parts) => {
      expect(read(parts)).toEqual({ text, args: '', tools: [] });
    }),
  );
});

test('a call is read the same however it is cut', () => {
  const args = '{"path": "a}b", "deep": {"x": [1, 2]}}';
  fc.assert(
    fc.property(pieces(callText('read_file', args)), (parts) => {
      expect(read(parts)).toEqual({ text: '', args, tools: ['read_file'] });
    }),
  );
});

test('a cut-off reply keeps its beginning', () => {
  expect(read(['{"tool": "answer", "args": {"text": "half an ans'], false).text).toBe('half an ans');
  expect(read(['{"tool": "read_file", "args": {"path": "REA'], false)).toEqual({
    text: '',
    args: '{"path": "REA',
    tools: ['read_file'],
  });
});

test('a stop word ends the text wherever it is cut, and is not part of the text', () => {
  fc.assert(
    fc.property(pieces('one EN two END three'), (parts) => {
      const stop = new StopWords(['END', 'never']);
      let text = '';
      for (const part of parts) {
        const { out, stopped } = stop.push(part);
        text += out;
        if (stopped) break;
      }
      expect(text + stop.end()).toBe('one EN two ');
    }),
  );
});
