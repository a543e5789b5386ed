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
