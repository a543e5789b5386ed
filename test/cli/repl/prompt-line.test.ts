import type { Key } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { textOf } from '../../../cli/repl/editor.ts';
import { type Effect, PromptLine } from '../../../cli/repl/prompt-line.ts';

const open = (history: readonly string[] = [], hits: readonly string[] = []) =>
  new PromptLine({ prompt: '> ', history: () => history, complete: (line) => [[...hits], line.split(' ').at(-1)!] });
const key = (name: string, more: Partial<Key> = {}): Key => ({
  name,
  ctrl: false,
  meta: false,
  shift: false,
  sequence: name,
  ...more,
});
const ctrl = (name: string) => key(name, { ctrl: true });
const type = (line: PromptLine, text: string): void => {
  for (const letter of text) line.press(letter, key(letter));
};
const enter = (line: PromptLine): string | null => {
  const effect: Effect | null = line.press('\r', key('return'));
  return effect?.kind === 'submit' ? textOf(effect.draft.cells) : null;
};

describe('Enter', () => {
  it('sends the text', () => {
    const line = open();
    type(line, 'hello');
    expect(enter(line)).toBe('hello');
    expect(line.text).toBe('');
  });

  it('goes on after a backslash, and sends two backslashes', () => {
    const line = open();
    type(line, 'one\\');
    expect(enter(line)).toBeNull();
    type(line, '  two');
    expect(enter(line)).toBe('one\n  two');
    type(line, 'c:\\\\');
    expect(enter(line)).toBe('c:\\\\');
  });

  it('goes on within three quotes, and sends after their end', () => {
    const line = open();
    type(line, '"""one');
    expect(enter(line)).toBeNull();
    type(line, 'two"""');
    expect(enter(line)).toBe('"""one\ntwo"""');
  });

  it('with Alt, and Ctrl-J, begin a new line', () => {
    const line = open();
    type(line, 'a');
    line.press('\r', key('return', { meta: true }));
    line.press('\n', key('enter'));
    type(line, 'b');
    expect(enter(line)).toBe('a\n\nb');
  });
});

describe('the history', () => {
  it('offers what begins with the typed text, and gives that back', () => {
    const line = open(['/tree', 'hello', '/tasks', '/tasks']);
    type(line, '/t');
    const seen = ['up', 'up', 'up', 'down', 'down', 'down'].map((name) => {
      line.press(undefined, key(name));
      return line.text;
    });
    expect(seen).toEqual(['/tree', '/tasks', '/tasks', '/tree', '/t', '/t']);
  });

  it('is searched from the newest to older ones, and the found text is taken or left', () => {
    const line = open(['find one', 'other', 'FIND two']);
    type(line, 'typed');
    line.press(undefined, ctrl('r'));
    type(line, 'find');
    expect(line.shown.prompt).toBe('(search) find: ');
    line.press(undefined, ctrl('r'));
    expect(textOf(line.shown.draft.cells)).toBe('FIND two');
    line.press(undefined, ctrl('g'));
    expect(line.text).toBe('typed');
    line.press(undefined, ctrl('r'));
    type(line, 'oth');
    expect(enter(line)).toBe('other');
  });

  it('says that a search finds nothing, and keeps the typed text', () => {
    const line = open(['one']);
    type(line, 'x');
    line.press(undefined, ctrl('r'));
    type(line, 'zzz');
    expect(line.shown.prompt).toContain('not found');
    line.press(undefined, key('escape'));
    expect(line.text).toBe('x');
  });
});

describe('Tab', () => {
  it('completes what all candidates share, then shows them', () => {
    const line = open([], ['/tasks ', '/tree ']);
    line.press('\t', key('tab'));
    expect(line.text).toBe('/t');
    expect(line.press('\t', key('tab'))).toEqual({ kind: 'candidates', candidates: ['/tasks ', '/tree '] });
  });
});

it('Ctrl-D leaves on an empty line only', () => {
  const line = open();
  type(line, 'ab');
  line.press(undefined, key('left'));
  expect(line.press(undefined, ctrl('d'))).toBeNull();
  expect(line.text).toBe('a');
  line.press(undefined, key('backspace'));
  expect(line.press(undefined, ctrl('d'))).toEqual({ kind: 'end-of-input' });
});
