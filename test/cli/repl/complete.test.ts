import { describe, expect, it } from 'vitest';
import { complete, type Known } from '../../../cli/repl/complete.ts';
import { slashCommands } from '../../../cli/repl/slash-commands.ts';

const known: Known = {
  ids: ['k3xq.0', 'k3xq.4', 'm2zz.0'],
  ended: ['e1nd.0'],
  questions: (id) => (id === 'k3xq.4' ? ['q2'] : []),
  choices: (id) => (id === 'k3xq.4' ? ['approve', 'deny'] : []),
  numbers: ['1', '2', 'all'],
  backends: ['local', 'frontier'],
  types: ['supervisor', 'files'],
  files: (typed) => ['@notes.txt ', '@"my notes.txt" '].filter((each) => each.replace('"', '').startsWith(`@${typed}`)),
  commands: slashCommands,
};

describe('Tab completes', () => {
  it.each([
    ['/sta', ['/status ']],
    ['/st', ['/status ', '/steer '].sort()],
    ['/steer k', ['k3xq.0 ', 'k3xq.4 ']],
    ['/status ', ['k3xq.0 ', 'k3xq.4 ', 'm2zz.0 ']],
    ['/undo ', ['e1nd.0 ']],
    ['/answer ', ['k3xq.0 ', 'k3xq.4 ', 'm2zz.0 ', '1 ', '2 ', 'all ']],
    ['/answer a', ['all ']],
    ['@m2', ['@m2zz.0 ']],
    ['@m', ['@m2zz.0 ', '@"my notes.txt" ']],
    ['/answer k3xq.4 ', ['q2 ']],
    ['/answer m2zz.0 ', []],
    ['/answer k3xq.4 q2 ', ['approve ', 'deny ']],
    ['/answer k3xq.4 q2 d', ['deny ']],
    ['/steer k3xq.4 ', []],
    ['/swap k3xq.4 fr', ['frontier ']],
    ['/dispatch f', ['files ']],
    ['/dead ', ['retry ', 'drop ']],
    ['/dead r', ['retry ']],
    ['/steer k3xq.4 use my w', []],
    ['plain text', []],
    ['@m2zz.0 text', []],
    ['read @no', ['@notes.txt ']],
    ['@n', ['@notes.txt ']],
  ])('%j', (line, hits) => {
    expect([...complete(line, known)[0]].sort()).toEqual([...hits].sort());
  });

  it('only the last word', () => {
    expect(complete('/swap k3xq.4 fr', known)[1]).toBe('fr');
  });
});
