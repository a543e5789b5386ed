import { describe, expect, it } from 'vitest';
import { applyAnswer, chosen, decisionOf, meaningOf } from '../../machines/answer.ts';
import type { Calls, Question } from '../../machines/conversation.ts';

const approval: Question = { id: 'q1', kind: 'approval', text: 'May it run write_file?', choices: ['approve', 'deny'] };
const doubt: Question = { id: 'q1', kind: 'in-doubt', text: 'Did it?', choices: ['it ran', 'run it again', 'stop'] };
const asked: Question = { id: 'q1', kind: 'asked', text: 'Which?', choices: ['red', 'blue'] };
const stuck: Question = { id: 'q1', kind: 'stuck', text: 'It fails.', choices: ['try again', 'stop'] };

describe('an answer names a choice', () => {
  it.each([
    [approval, 'Approve', 'approve'],
    [approval, ' deny ', 'deny'],
    [approval, 'app', 'approve'],
    [doubt, 'run', 'run it again'],
    [stuck, 'TRY AGAIN', 'try again'],
    [asked, 'RED', 'red'],
  ])('of %o: %s is %s', (question, text, choice) => {
    expect(chosen(question, text)).toBe(choice);
  });

  it('only where the question offers it: the beginning of an own choice of an agent may be the whole answer', () => {
    expect(meaningOf(asked, 'r')).toEqual({ kind: 'words' });
    expect(meaningOf(asked, 'neither')).toEqual({ kind: 'words' });
    expect(meaningOf(doubt, 'I do not know')).toEqual({ kind: 'words' });
  });
});

describe('an approval', () => {
  it.each([
    'yes',
    'Y',
    'ok',
    'yes, you may write it',
    'Yes, please!',
    'sure, go ahead',
    'go ahead',
    'okay. do it',
    'ja, bitte',
    'Ja, mach das',
    'oui, vas-y',
    'sí, por favor',
  ])('is given by: %s', (text) => {
    expect(chosen(approval, text)).toBe('approve');
    expect(decisionOf(approval, text)).toBe('allowed');
  });

  it.each(['no', 'N', 'nope', 'no, use b.txt', "don't write there", 'do not', 'nein, falsche Datei', 'non', 'stop'])(
    'is refused by: %s',
    (text) => {
      expect(chosen(approval, text)).toBe('deny');
      expect(decisionOf(approval, text)).toBe('denied');
    },
  );

  it.each([
    'yes, but only the first line',
    'yes and use b.txt',
    'yes, just this once',
    'yes, then stop',
    'yes?',
    'yes not',
    'no problem, go ahead',
    'use b.txt instead',
    'maybe',
    'what does it write?',
    'go away',
    '',
    'ja, aber nur einmal',
  ])('stays open at: %s', (text) => {
    expect(meaningOf(approval, text)).toMatchObject({ kind: 'unclear', hint: expect.stringContaining('yes') });
  });
});

it('an approval lets the call run, and a refusal tells the model the words', () => {
  const calls: Calls = [{ id: 'c1', tool: 'write_file', args: {}, effects: 'writes', gated: true }];
  expect(applyAnswer(approval, 'yes, please', calls)).toEqual({ calls: [{ ...calls[0], gated: false }], said: [] });
  const refused = applyAnswer(approval, 'no, use b.txt', calls);
  expect(refused.calls).toEqual([]);
  expect(refused.said).toEqual([{ role: 'tool', call: 'c1', text: expect.stringContaining('no, use b.txt') }]);
});

it('a call whose effects depend on its arguments counts as one that writes once the operator has edited them', () => {
  const call = { id: 'c1', tool: 'fill', args: { value: 'x' }, effects: 'idempotent', gated: true } as const;
  const edited = (calls: Calls) => applyAnswer(approval, 'yes', calls, { file: 'a.txt' }).calls[0]!.effects;
  expect(edited([{ ...call, varies: true }])).toBe('writes');
  expect(edited([call])).toBe('idempotent');
  expect(applyAnswer(approval, 'yes', [{ ...call, varies: true }]).calls[0]!.effects).toBe('idempotent');
});
