import { describe, expect, it } from 'vitest';
import { commands, globalOptions } from '../../../cli/commands/registry.ts';
import { readWords } from '../../../cli/complete/typed-place.ts';

const at = (...words: string[]) => readWords(words, { commands, globals: globalOptions });
const whatAt = (...words: string[]) => {
  const { place } = at(...words);
  return place.kind === 'value' ? place.what : place.kind;
};

describe('the value at the cursor', () => {
  it.each([
    [[''], 'command'],
    [['st'], 'command'],
    [['--json', 'st'], 'command'],
    [['--roster', 'mine.yaml', 'st'], 'command'],
    [['help', 'st'], 'command'],
    [['--'], 'flag'],
    [['up', '--ty'], 'flag'],
    [['--roster', ''], '<file>'],
    [['run', '--plan', ''], '<file>'],
    [['run', '--workspace', ''], '<dir>'],
    [['up', '--types', ''], '<types>'],
    [['up', '--types', 'files,'], '<types>'],
    [['dispatch', '--needs', ''], '<good_at>'],
    [['dispatch', '--backend', 'local', ''], '<type>'],
    [['dispatch', 'files', '--backend', ''], '<backend>'],
    [['steer', '--next', ''], '<id>'],
    [['status', '--json', ''], '[id]'],
    [['answer', 'k3xq.4', ''], '<question>'],
    [['answer', 'k3xq.4', 'q1', ''], '[text...]'],
    [['swap', 'k3xq.4', ''], '<backend>'],
    [['rerun', 'k3xq', ''], '<key>'],
    [['retarget', 'k3xq', 'a', ''], '<backend>'],
    [['add', 'k3xq', 'new', ''], '<type>'],
    [['dead', ''], '[retry|drop]'],
    [['dead', 'drop', ''], '[letter]'],
    [['completion', ''], '<bash|zsh|fish>'],
    [['steer', '--', '-k'], '<id>'],
    [['menu', ''], 'nothing'],
    [['nonsense', ''], 'nothing'],
  ])('of %j is %s', (words, what) => {
    expect(whatAt(...words)).toBe(what);
  });

  it('comes with the arguments before it and the options that name the bus', () => {
    const { place, given, typed } = at('--namespace', 'other', 'retarget', 'k3xq', '--no-wait', 'a', 'fro');
    expect(place).toMatchObject({ what: '<backend>', args: ['k3xq', 'a'] });
    expect([...given]).toEqual([['--namespace', 'other']]);
    expect(typed).toBe('fro');
  });
});
