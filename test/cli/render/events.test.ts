import { describe, expect, it } from 'vitest';
import type { Status } from '../../../bus/messages.ts';
import { type EventOptions, statusLines } from '../../../cli/render/events.ts';
import { plain } from '../../../cli/render/paint.ts';

const status = (more: Partial<Status>): Status => ({
  id: 'k3xq.1',
  type: 'files',
  commit: 1,
  epoch: 1,
  at: '2026-01-01T00:00:00.000Z',
  node: 'n',
  state: 'thinking',
  step: 1,
  backend: 'local',
  paused: false,
  question: null,
  receipts: [],
  usage: { inputTokens: 0, outputTokens: 0, costUsd: 0 },
  outcome: null,
  ...more,
});
const news: EventOptions = { detail: 'news', answerWith: '/answer' };
const lines = (before: Status | null, now: Status, options = news) => statusLines(before, now, plain, options);

describe('the news of a task', () => {
  it('say that it has started, and not each of its steps', () => {
    const first = status({});
    expect(lines(null, first)).toEqual(['· k3xq.1 files thinking · step 1 · on local']);
    expect(lines(first, status({ step: 2, state: 'acting', doing: 'read_file README.md' }))).toEqual([]);
  });

  it('beside a tree tell what the tree does not show, such as what only the operator can do', () => {
    const inTree = { ...news, inTree: true };
    const first = status({});
    expect(lines(null, first, inTree)).toEqual([]);
    const note = `fetch_page: Refused: ${'x'.repeat(300)} web: { open: ["a:1"] }`;
    expect(lines(first, status({ step: 2, state: 'acting', note }), inTree)).toEqual([`· k3xq.1 ${note}`]);
  });

  it('show a question once, with the words that answer it', () => {
    const asking = status({
      state: 'awaiting-steer',
      question: { id: 'q1', kind: 'approval', text: 'Write a.txt?', choices: ['yes', 'no'] },
    });
    expect(lines(status({}), asking)).toEqual([
      '? k3xq.1 wants approval: Write a.txt? (yes / no)',
      '    /answer k3xq.1 q1 yes',
      '    or: no, with a reason · edit · goal · always',
    ]);
    expect(lines(asking, { ...asking, commit: 2 })).toEqual([]);
    const elsewhere = (toldQuestion: string) =>
      lines(null, asking, { ...news, toldQuestion }).some((line) => line.startsWith('?'));
    expect([elsewhere('q1'), elsewhere('q0')]).toEqual([false, true]);
  });

  it('show how to add budget when it is out of budget, and not how to stop it', () => {
    const question = { id: 'q1', kind: 'budget' as const, text: 'It has no money.', choices: ['stop'] };
    const asking = status({ state: 'awaiting-steer', question });
    expect(lines(status({}), asking)).toEqual([
      '? k3xq.1 is out of budget: It has no money. (stop)',
      '    /budget k3xq.1 10 0.50',
    ]);
  });

  it('quote a choice that a model has made up as one word of a shell', () => {
    const first = (choice: string) => {
      const question = { id: 'q1', kind: 'asked', text: 'Which?', choices: [choice] } as const;
      const asking = status({ state: 'awaiting-steer', question: { ...question, choices: [choice] } });
      return lines(status({}), asking, { ...news, answerWith: 'cox answer' })
        .at(-1)!
        .trim();
    };
    expect(first('red')).toBe('cox answer k3xq.1 q1 red');
    expect(first('deep red')).toBe('cox answer k3xq.1 q1 "deep red"');
    expect(first('$(rm -rf ~)')).toBe("cox answer k3xq.1 q1 '$(rm -rf ~)'");
    expect(first(`it's "so"`)).toBe(`cox answer k3xq.1 q1 'it'\\''s "so"'`);
    expect(first('a\nb')).toBe('cox answer k3xq.1 q1 "a b"');
  });

  it('show the final fate of a steer once, and not of steers that are reported elsewhere', () => {
    const accepted = { steer: 's1', kind: 'steer', fate: 'accepted', seq: 7 } as const;
    const applied = { steer: 's1', kind: 'steer', fate: 'applied', seq: 7, step: 3 } as const;
    const before = status({ receipts: [accepted] });
    expect(lines(status({}), before)).toEqual([]);
    const now = status({ receipts: [applied] });
    expect(lines(before, now)).toEqual(['  k3xq.1 steer applied at step 3']);
    expect(lines(now, { ...now, commit: 3 })).toEqual([]);
    expect(lines(before, now, { ...news, skipReceipt: (steer) => steer === 's1' })).toEqual([]);
  });

  it('say why a steer was returned', () => {
    const returned = { steer: 's1', kind: 'answer', fate: 'returned', seq: 7, reason: 'question q1 is closed' } as const;
    expect(lines(status({}), status({ receipts: [returned] }))).toEqual(['  k3xq.1 answer returned: question q1 is closed']);
  });
});

it('a watcher is shown every step', () => {
  const acting = status({ step: 2, state: 'acting', doing: 'read_file README.md' });
  expect(lines(status({}), acting, { ...news, detail: 'every step' })).toEqual([
    '· k3xq.1 files acting · read_file README.md · step 2 · on local',
  ]);
});

it('a task of very many is shown only when it needs the operator', () => {
  expect(lines(null, status({}), { ...news, quiet: true })).toEqual([]);
  const asking = status({ state: 'awaiting-steer', question: { id: 'q1', kind: 'asked', text: 'Which?' } });
  expect(lines(null, asking, { ...news, quiet: true })).toHaveLength(2);
});
