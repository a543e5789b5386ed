import { describe, expect, it } from 'vitest';
import { readLine } from '../../../cli/repl/input.ts';

describe('a typed line', () => {
  it.each([
    ['', { kind: 'nothing' }],
    ['   ', { kind: 'nothing' }],
    ['read the README', { kind: 'say', text: 'read the README' }],
    ['/status k3xq.4', { kind: 'command', name: 'status', words: ['k3xq.4'], rest: 'k3xq.4' }],
    ['/run  a  goal', { kind: 'command', name: 'run', words: ['a', 'goal'], rest: 'a  goal' }],
    ['@k3xq.4 use my work email', { kind: 'steer', ref: 'k3xq.4', text: 'use my work email' }],
    ['@.4? yes', { kind: 'answer', ref: '.4', text: 'yes' }],
    ['/etc/hosts: what is in it', { kind: 'say', text: '/etc/hosts: what is in it' }],
  ])('%j is read', (line, expected) => {
    expect(readLine(line)).toEqual(expected);
  });

  it.each(['/', '@', '@k3xq.4', '@k3xq.4?  '])('%j is a usage error', (line) => {
    expect(() => readLine(line)).toThrowError(expect.objectContaining({ code: 'usage' }));
  });
});

describe('a text of several lines', () => {
  const takesText = (name: string) => name === 'steer' || name === 'run';
  const read = (line: string) => readLine(line, takesText);

  it('keeps its indentation, without blank lines around it', () => {
    expect(read('\n  if x:\n    y\n\n')).toEqual({ kind: 'say', text: '  if x:\n    y' });
  });

  it('is a message if it begins like a command that has no text', () => {
    expect(read('/quit\nls')).toEqual({ kind: 'say', text: '/quit\nls' });
    expect(read('/usr\n/bin')).toEqual({ kind: 'say', text: '/usr\n/bin' });
  });

  it('is the text of a command that has one, with its line breaks', () => {
    expect(read('/run Do:\n  this')).toMatchObject({ kind: 'command', name: 'run', rest: 'Do:\n  this' });
    expect(read('/steer .4 --now be brief:\n  one\n  two')).toMatchObject({
      words: ['.4', '--now', 'be', 'brief:\n  one\n  two'],
    });
    expect(read('@.4? yes\n  but')).toEqual({ kind: 'answer', ref: '.4', text: 'yes\n  but' });
  });

  it('is a message in any case between three quotes', () => {
    expect(read('"""/tasks"""')).toEqual({ kind: 'say', text: '/tasks' });
    expect(read('"""\n@home\n  sweet\n"""')).toEqual({ kind: 'say', text: '@home\n  sweet' });
  });
});

it('a file named first is attached to a message, and any other name after an @ is that of a task', () => {
  const isFile = (name: string) => name === 'notes.txt';
  expect(readLine('@notes.txt what is it', undefined, isFile)).toEqual({ kind: 'say', text: '@notes.txt what is it' });
  expect(readLine('@.4 read @notes.txt', undefined, isFile)).toEqual({ kind: 'steer', ref: '.4', text: 'read @notes.txt' });
});
