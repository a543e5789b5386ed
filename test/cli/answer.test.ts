import { describe, expect, it } from 'vitest';
import type { Question } from '../../bus/messages.ts';
import { answering, meant } from '../../cli/answer.ts';

const approval: Question = { id: 'q1', kind: 'approval', text: 'May it run write_file?', choices: ['approve', 'deny'] };
const doubt: Question = { id: 'q1', kind: 'in-doubt', text: 'Did it?', choices: ['it ran', 'run it again', 'stop'] };
const asked: Question = { id: 'q1', kind: 'asked', text: 'Which?', choices: ['red', 'blue'] };

describe('an answer', () => {
  it.each([
    [approval, 'Approve', 'approve'],
    [approval, ' deny ', 'deny'],
    [approval, 'yes', 'approve'],
    [approval, 'Y', 'approve'],
    [approval, 'no', 'deny'],
    [approval, 'app', 'approve'],
    [doubt, 'run', 'run it again'],
    [doubt, 'yes', 'yes'],
    [asked, 'RED', 'red'],
    [asked, 'r', 'r'],
    [asked, 'neither', 'neither'],
  ])('to %o: %s means %s', (question, text, means) => {
    expect(meant(question, text)).toEqual({ text: means, note: null });
  });

  it('that neither approves nor denies is passed on as it is, with a note', () => {
    const { text, note } = meant(approval, 'use b.txt instead');
    expect(text).toBe('use b.txt instead');
    expect(note).toContain('does not run');
  });
});

it('an answer is completed only for the question that is open', () => {
  const message = { type: 'answer', question: 'q1', text: 'yes' } as const;
  expect(answering(message, approval).message).toEqual({ ...message, text: 'approve' });
  expect(answering(message, { ...approval, id: 'q2' }).message).toEqual(message);
  expect(answering(message, null).message).toEqual(message);
});
