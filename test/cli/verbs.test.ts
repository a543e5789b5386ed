import { describe, expect, it } from 'vitest';
import { maxSteerChars, SteeringMessage } from '../../bus/messages.ts';
import { type Verb, type VerbName, verbs } from '../../cli/verbs.ts';

const message = (name: VerbName, words: string[], options = {}) => (verbs[name] as Verb).message(words, options);

describe('a steering verb becomes a message', () => {
  it.each<[VerbName, string[], object]>([
    ['steer', ['use', 'my', 'work', 'email'], { type: 'steer', text: 'use my work email', urgency: 'now' }],
    ['answer', ['q1', 'yes', 'please'], { type: 'answer', question: 'q1', text: 'yes please' }],
    ['cancel', [], { type: 'cancel' }],
    ['cancel', ['wrong', 'folder'], { type: 'cancel', reason: 'wrong folder' }],
    ['redirect', ['only', '2024'], { type: 'redirect', text: 'only 2024' }],
    ['swap', ['frontier'], { type: 'swap', backend: 'frontier' }],
    ['pause', [], { type: 'pause' }],
    ['resume', [], { type: 'resume' }],
    ['budget', ['10'], { type: 'budget', steps: 10 }],
    ['budget', ['0', '0.5'], { type: 'budget', costUsd: 0.5 }],
    [
      'add',
      ['report:a,b', 'reasoning', 'Write', 'it'],
      {
        type: 'add',
        task: { key: 'report', type: 'reasoning', instruction: 'Write it', after: ['a', 'b'], needs: [], backend: null },
      },
    ],
    ['drop', ['a'], { type: 'drop', key: 'a' }],
    ['rerun', ['a'], { type: 'rerun', key: 'a' }],
    ['rerun', ['a', 'only', 'this'], { type: 'rerun', key: 'a', instruction: 'only this' }],
    ['retarget', ['a', 'frontier'], { type: 'rerun', key: 'a', backend: 'frontier' }],
  ])('%s %j', (name, words, expected) => {
    expect(SteeringMessage.parse(message(name, words))).toEqual(expected);
  });

  it('with an urgency and the step that it expects', () => {
    expect(message('steer', ['x'], { urgency: 'after', expectStep: 3 })).toEqual({
      type: 'steer',
      text: 'x',
      urgency: 'after',
      expect: { step: 3 },
    });
  });
});

describe('a steering verb refuses', () => {
  it.each<[VerbName, string[], string]>([
    ['steer', [' '], 'empty-text'],
    ['steer', ['x'.repeat(maxSteerChars + 1)], 'too-long'],
    ['answer', ['q1'], 'empty-text'],
    ['answer', [], 'usage'],
    ['swap', [], 'usage'],
    ['swap', ['a', 'b'], 'usage'],
    ['pause', ['now'], 'usage'],
    ['budget', ['many'], 'usage'],
    ['budget', [], 'usage'],
    ['budget', ['0'], 'usage'],
    ['budget', ['0', '0'], 'usage'],
    ['add', ['a', 'reasoning'], 'empty-text'],
    ['add', [], 'usage'],
    ['drop', [], 'usage'],
    ['retarget', ['a'], 'usage'],
  ])('%s %#', (name, words, code) => {
    expect(() => message(name, words)).toThrowError(expect.objectContaining({ code, exitCode: 2 }));
  });
});
