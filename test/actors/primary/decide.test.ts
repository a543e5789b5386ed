/** What code decides about a line, and what it leaves to a model. */
import { describe, expect, test } from 'vitest';
import { actsIn } from '../../../actors/primary/acts.ts';
import { decide, isBorneOut, type Pending } from '../../../actors/primary/decide.ts';
import { findTask } from '../../../actors/primary/references.ts';
import type { TaskSummary } from '../../../bus/state/tree.ts';

let made = 0;
const task = (id: string, instruction: string, more: Partial<TaskSummary> = {}): TaskSummary => ({
  id: id as TaskSummary['id'],
  parent: (id.endsWith('.0') ? null : `${id.split('.')[0]}.0`) as TaskSummary['parent'],
  type: id.endsWith('.0') ? 'supervisor' : 'reasoning',
  key: null,
  instruction,
  phase: 'held',
  state: 'thinking',
  outcome: null,
  question: null,
  step: 1,
  createdAt: new Date(Date.UTC(2026, 0, 1) + made++).toISOString(),
  updatedAt: '2026-01-01T00:00:00.000Z',
  ...more,
});
const translate = task('aaaa.0', 'Translate letter.txt into German');
const summary = task('bbbb.0', 'Summarize the meeting notes');
const reading = task('bbbb.1', 'Read the meeting notes', { type: 'files' });
const writing = task('bbbb.2', 'Write the summary');
const ended = task('cccc.0', 'Find the licence', { outcome: 'completed' });
const all = [ended, translate, summary, reading, writing];

const found = (ref: string, tasks = all, wants: 'open' | 'any' = 'open') => {
  const result = findTask(ref, tasks, wants);
  if (result.kind === 'one') return result.task.id;
  return 'tasks' in result ? `${result.kind} ${result.tasks.map(({ id }) => id).join(' ')}`.trim() : result.kind;
};

describe('a reference', () => {
  test.each([
    ['bbbb.2', 'bbbb.2'],
    ['task bbbb', 'bbbb.0'],
    ['zzzz.4', 'none'],
    ['the translation', 'aaaa.0'],
    ['die Übersetzung', 'aaaa.0'],
    ['la traduction', 'aaaa.0'],
    ['the task about the letter', 'aaaa.0'],
    ['the files one', 'bbbb.1'],
    ['the meeting', 'bbbb.0'],
    ['everything', 'all aaaa.0 bbbb.0'],
    ['alles', 'all aaaa.0 bbbb.0'],
    ['tout', 'all aaaa.0 bbbb.0'],
    ['it', 'unsure aaaa.0 bbbb.0'],
    ['the second goal', 'bbbb.0'],
    ['the last goal', 'bbbb.0'],
    ['the second sub-task', 'bbbb.2'],
    ['die erste Teilaufgabe', 'bbbb.1'],
    ['the weather', 'none'],
    ['talking about the weather', 'none'],
    ['my subscription letter', 'unsure aaaa.0'],
    ['the licence', 'none'],
  ])('%s is %s', (ref, expected) => expect(found(ref)).toBe(expected));

  test('an ordinal that has two readings is asked about', () => expect(found('the second one')).toBe('unsure bbbb.0 bbbb.2'));
  test('an ordinal counts the sub-tasks of the only goal', () => {
    expect(found('the second one', [summary, reading, writing])).toBe('bbbb.2');
    expect(found('der zweite', [summary, reading, writing])).toBe('bbbb.2');
    expect(found('le deuxième', [summary, reading, writing])).toBe('bbbb.2');
    expect(found('the fifth', [summary, reading, writing])).toBe('none');
  });
  test('an ended task is found where its result is asked for', () => expect(found('the licence', all, 'any')).toBe('cccc.0'));
  test('two tasks that fit are both told', () => {
    const tasks = [task('dddd.0', 'Write a poem about cats'), task('eeee.0', 'Write a poem about dogs')];
    expect(found('the poem', tasks)).toBe('unsure dddd.0 eeee.0');
    expect(found('the poem about dogs', tasks)).toBe('eeee.0');
  });
});

describe('a line', () => {
  test.each([
    ['stop everything', [{ act: 'cancel', ref: 'everything' }]],
    ['Bitte alles abbrechen!', [{ act: 'cancel', ref: 'alles' }]],
    ['arrête tout, s’il te plaît', [{ act: 'cancel', ref: 'tout' }]],
    [
      'pause the first one and cancel the second',
      [
        { act: 'pause', ref: 'the first one' },
        { act: 'cancel', ref: 'the second' },
      ],
    ],
    [
      'cancel the poem, the letter and the report',
      [
        { act: 'cancel', ref: 'the poem' },
        { act: 'cancel', ref: 'the letter' },
        { act: 'cancel', ref: 'the report' },
      ],
    ],
    ['what did the second one find?', [{ act: 'result', ref: 'the second one' }]],
    ['Was hat die zweite herausgefunden?', [{ act: 'result', ref: 'die zweite' }]],
    ['mets la traduction en pause', [{ act: 'pause', ref: 'la traduction' }]],
    ['tell the letter task to use Sie and not du', [{ act: 'steer', ref: 'the letter task', text: 'use Sie and not du' }]],
    ['use beta for the summary', [{ act: 'swap', ref: 'the summary', backend: 'beta' }]],
    ['how is it going?', [{ act: 'status', ref: null }]],
  ])('%s', (line, acts) => expect(actsIn(line)).toEqual(acts));

  test.each([
    'hello',
    'stop',
    'Could you find out who wrote this?',
    'cancel the report and tell me why',
    'You should rest',
    'thanks!',
    'who should pay?',
  ])('%s goes to the model', (line) => expect(actsIn(line)).toBeNull());
});

describe('a decision', () => {
  const on = (line: string, tasks: readonly TaskSummary[] = all, pending: Pending | null = null) =>
    decide({ line, tasks, pending });

  test('an act on words that name nothing goes to the model', () => {
    expect(on('stop talking about the weather')).toBeNull();
    expect(on('it should be formal')).toBeNull();
  });
  test('words for a task that asks go to the model, because they may be its answer', () => {
    const asking = { ...translate, question: { id: 'q1', kind: 'asked' as const, text: 'Formal or not?' } };
    expect(on('the translation should be formal')).not.toBeNull();
    expect(on('the translation should be formal', [asking])).toBeNull();
  });
  test('all acts of a line are calls', () =>
    expect(on('pause the translation and cancel the second goal')).toEqual({
      calls: [
        { tool: 'pause_task', args: { id: 'aaaa.0' } },
        { tool: 'cancel_task', args: { id: 'bbbb.0' } },
      ],
    }));
  test('everything is one call, which asks', () =>
    expect(on('stop everything')).toEqual({ calls: [{ tool: 'cancel_task', args: { id: 'all' } }] }));
  test('words that fit in part are passed on, so that the tool asks', () =>
    expect(on('cancel my subscription letter')).toEqual({
      calls: [{ tool: 'cancel_task', args: { id: 'my subscription letter' } }],
    }));

  test('for a small model, a line that names one task with an article is a correction in the operator’s own words', () => {
    const small = (line: string) => decide({ line, tasks: all, pending: null, isSmall: true });
    const steer = (id: string, text: string) => ({ calls: [{ tool: 'steer_task', args: { id, text } }] });
    expect(small('the translation please in French')).toEqual(steer('aaaa.0', 'the translation please in French'));
    expect(on('the translation please in French')).toBeNull();
    expect(small('translate README.md into German')).toBeNull();
    expect(small('is the translation ready?')).toBeNull();
    expect(small('note that the translation is urgent')).toBeNull();
    expect(small('mix the translation and the meeting')).toBeNull();
    expect(small('the weather is fine')).toBeNull();
  });

  const confirm: Pending = { kind: 'confirm', calls: [{ tool: 'cancel_task', args: { id: 'aaaa.0' } }] };
  test.each(['y', 'yes', 'ja', 'oui'])('%s confirms', (line) => expect(on(line, all, confirm)).toEqual({ calls: confirm.calls }));
  test('a no ends it, and any other line is read as if nothing had been asked', () => {
    expect(on('no', all, confirm)).toEqual({ text: 'Nothing was done.' });
    expect(on('what is the weather?', all, confirm)).toBeNull();
    expect(on('yes, but only the first one', all, confirm)).toBeNull();
    expect(on('no, look at the report first please', all, confirm)).toBeNull();
  });

  const choose: Pending = { kind: 'choose', call: { tool: 'pause_task', args: { id: 'it' } }, ids: ['aaaa.0', 'bbbb.0'] };
  test.each([
    ['2', ['bbbb.0']],
    ['the first one', ['aaaa.0']],
    ['both', ['aaaa.0', 'bbbb.0']],
    ['the translation', ['aaaa.0']],
    ['bbbb.0', ['bbbb.0']],
    ['le dernier', ['bbbb.0']],
  ])('%s chooses', (line, ids) =>
    expect(on(line, all, choose)).toEqual({ calls: ids.map((id) => ({ tool: 'pause_task', args: { id } })) }),
  );
  test('a number that was not offered chooses nothing', () => expect(on('7', all, choose)).toBeNull());
});

test('a small model’s act counts only if the operator’s words bear it out', () => {
  const cancel = { tool: 'cancel_task', args: {} };
  expect(isBorneOut('please stop the translation', cancel, 'aaaa.0', all)).toBe(true);
  expect(isBorneOut('please stop the translation', cancel, 'bbbb.0', all)).toBe(false);
  expect(isBorneOut('how is the translation?', cancel, 'aaaa.0', all)).toBe(false);
  expect(isBorneOut('stop', cancel, 'aaaa.0', all)).toBe(false);
  expect(isBorneOut('a letter is a letter', { tool: 'steer_task', args: {} }, 'aaaa.0', all)).toBe(true);
  expect(isBorneOut('my subscription letter is nice', { tool: 'steer_task', args: {} }, 'aaaa.0', all)).toBe(false);
  expect(isBorneOut('stop', cancel, 'aaaa.0', [translate])).toBe(true);
  expect(isBorneOut('be quick', { tool: 'swap_model', args: { backend: 'beta' } }, 'aaaa.0', [translate])).toBe(false);
});
