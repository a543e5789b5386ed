import { describe, expect, it } from 'vitest';
import type { OpenQuestion } from '../../bus/state/open-questions.ts';
import { namedBy, numbered, shownOf, stillOpen, takers } from '../../cli/inbox.ts';
import { inboxLines } from '../../cli/render/inbox.ts';
import { plain } from '../../cli/render/paint.ts';

const open = (id: string, question: Partial<OpenQuestion['question']> = {}): OpenQuestion => ({
  ...{ id, goal: `${id.split('.')[0]}.0`, goalInstruction: 'The goal', key: 'part', type: 'files', instruction: 'x' },
  question: { id: 'q1', kind: 'approval', text: 'May it?', choices: ['approve', 'deny'], ...question },
  ...{ askedAt: '2026-01-01T12:00:00.000Z', blocked: 0 },
});
const [a, b, c] = [open('aaaa.1'), open('bbbb.1'), open('cccc.1')];

describe('words name', () => {
  it.each([
    ['2', 'approve', [2]],
    ['1,3,1', 'no', [1, 3]],
    ['all', 'approve', 'all'],
    // A goal whose name begins with a digit, and the id of its question.
    ['2', 'q1', null],
    ['k3xq.4', 'q1', null],
    ['2abc', 'q1', null],
  ])('%s %s', (ref, next, named) => {
    expect(namedBy(ref, next)).toEqual(named);
  });
});

describe('a number', () => {
  const shown = shownOf(numbered([a, b, c]));

  it('names the question beside which it was shown, when the list has changed since', () => {
    expect(stillOpen([2], shown, [open('0000.1'), b, c], 'cox inbox')).toEqual([{ number: 2, ...b }]);
  });

  it('names nothing when its question has gone, though another one of the task is open', () => {
    const stale = expect.objectContaining({ code: 'stale-number', exitCode: 4, message: expect.stringContaining('bbbb.1') });
    expect(() => stillOpen([2], shown, [a, c], 'cox inbox')).toThrowError(stale);
    expect(() => stillOpen([1, 2], shown, [a, open('bbbb.1', { id: 'q2' })], 'cox inbox')).toThrowError(stale);
  });

  it('names nothing where it was not shown', () => {
    const usage = expect.objectContaining({ code: 'usage', hint: expect.stringContaining('/inbox') });
    expect(() => stillOpen([4], shown, [a, b, c], '/inbox')).toThrowError(usage);
    expect(() => stillOpen([1], null, [a, b, c], '/inbox')).toThrowError(usage);
    expect(() => stillOpen('all', null, [a], '/inbox')).toThrowError(usage);
  });

  it('all names those that were shown and are open', () => {
    expect(stillOpen('all', shown, [open('0000.1'), c, a], 'cox inbox').map(({ number }) => number)).toEqual([1, 3]);
  });
});

it('an answer to all goes only to questions that have it as a choice', () => {
  const name = open('dddd.1', { kind: 'asked', text: 'Which name?', choices: undefined });
  const stuck = open('eeee.1', { kind: 'stuck', choices: ['try again', 'stop'] });
  const split = (text: string) => takers(numbered([a, name, stuck]), text).takes.map(({ id }) => id);
  expect(split('approve')).toEqual(['aaaa.1']);
  expect(split('yes, please')).toEqual(['aaaa.1']);
  expect(split('stop')).toEqual(['aaaa.1', 'eeee.1']);
  expect(split('yes, but only once')).toEqual([]);
});

describe('the list', () => {
  const words = { now: new Date('2026-01-01T12:12:00.000Z'), answerWith: null, showWith: 'cox status' };

  it('shows the choices of an approval before its diff, so that they do not read as a part of the file', () => {
    const question = { ...a.question, text: 'May it?\n+++ notice.txt\n+Closed' };
    expect(inboxLines(numbered([{ ...a, question }]), plain, words).slice(0, 3)).toEqual([
      '1  aaaa.1 part wants approval: May it? (approve / deny)',
      '     +++ notice.txt',
      '     +Closed',
    ]);
  });

  it('shows the number, the task, its key, the question, its age and what waits', () => {
    expect(inboxLines(numbered([{ ...a, blocked: 2 }]), plain, words)).toEqual([
      '1  aaaa.1 part wants approval: May it? (approve / deny)',
      '   12 min ago · its goal aaaa.0 waits “The goal”, and 2 sub-tasks behind it',
    ]);
  });

  it('says how much of a long question it leaves out', () => {
    const text = Array.from({ length: 20 }, (_, n) => `line ${n}`).join('\n');
    const lines = inboxLines(numbered([open('aaaa.1', { text })]), plain, words);
    expect(lines).toContain('     line 7');
    expect(lines).toContain('     12 more lines: cox status aaaa.1');
  });

  it('shows no control characters of a model', () => {
    const [line] = inboxLines(numbered([open('aaaa.1', { text: 'a\u001b[2Jb' })]), plain, words);
    expect(line).toContain('ab (approve');
  });
});
