/** Steps are put together from statuses and a checkpoint, whatever happened in between. */
import { expect, test } from 'vitest';
import { stepsOf } from '../../../bus/journal/steps.ts';
import { noUsage, type Status, TaskSpec } from '../../../bus/messages.ts';
import { newRecord, type StateRecord } from '../../../bus/state/state-record.ts';

const at = (second: number) => new Date(Date.UTC(2026, 2, 1, 12, 0, second)).toISOString();
let commits = 0;
const status = (step: number, state: Status['state'], more: Partial<Status> = {}): Status => {
  commits++;
  return {
    ...{ id: 'k3xq.1', type: 'files', commit: commits, epoch: 1, at: at(commits), node: 'a', state, step, backend: 'main' },
    ...{ paused: false, question: null, receipts: [], usage: noUsage, outcome: null, ...more },
  };
};
const thinking = (step: number, messages: number, more: Partial<Status> = {}) =>
  status(step, 'thinking', { prompt: { messages, digest: `d${step}` }, ...more });
const user = (text: string) => ({ role: 'user', text });
const said = (text: string, step?: number) => ({
  ...{ role: 'assistant', text },
  ...(step && { calls: [{ id: `s${step}-0`, tool: 'look', args: {} }] }),
});
const result = (step: number) => ({ role: 'tool', call: `s${step}-0`, text: `result ${step}` });
const record = (messages: readonly object[], steers: readonly object[] = [], type = 'files'): StateRecord => ({
  ...newRecord('k3xq.1', TaskSpec.parse({ type, instruction: 'Do it' }), 'a', at(0)),
  ...{ commit: 1_000, snapshot: { context: { messages, steers } } },
});
const told = (of: StateRecord, statuses: readonly Status[]) => stepsOf(of, statuses).map((step) => [step.step, step.told]);

test('a step that was taken back is told by the call of its number that was made later', () => {
  const of = record([user('Do it'), said('', 1), result(1), user('cheaper'), said('done')]);
  const statuses = [thinking(1, 1), thinking(2, 3), status(1, 'awaiting-steer'), thinking(2, 4), status(2, 'done')];
  expect(told(of, statuses)).toEqual([
    [1, 1],
    [2, 4],
  ]);
  expect(stepsOf(of, statuses)[1]!.at).toBe(statuses[3]!.at);
});

test('of a task that began again only what was said since then is known', () => {
  const of = record([user('found so far'), user('Do it'), said('done')]);
  expect(told(of, [thinking(1, 1), thinking(2, 3), thinking(3, 2), status(3, 'done')])).toEqual([
    [1, null],
    [2, null],
    [3, 2],
  ]);
});

test('statuses of earlier versions have no counts: the ids of calls and the last reply tell the place', () => {
  const of = record([user('Do it'), said('', 1), result(1), said('', 2), result(2), said('done')]);
  expect(told(of, [status(1, 'thinking'), status(2, 'thinking'), status(3, 'done')])).toEqual([
    [1, 1],
    [2, 3],
    [3, 5],
  ]);
});

test('statuses that come twice, in another order or beyond the record change nothing', () => {
  const of = { ...record([user('Do it'), said('', 1), result(1), said('done')]) };
  const all = [thinking(1, 1), status(1, 'acting'), thinking(2, 3), status(2, 'done')];
  const wanted = stepsOf(of, all);
  expect(stepsOf(of, [...all.toReversed(), ...all])).toEqual(wanted);
  const late = thinking(3, 9, { commit: 2_000 });
  expect(stepsOf(of, [...all, late])).toEqual(wanted);
  // The outbox has what is not on the log yet.
  expect(stepsOf({ ...of, outbox: all.slice(2), last: all[3]! }, all.slice(0, 2))).toEqual(wanted);
});

test('a takeover is told with the step in which it came, and a wait is none', () => {
  const of = record([user('Do it'), said('', 1), result(1), said('half'), said('done')]);
  const statuses = [
    thinking(1, 1),
    status(1, 'acting'),
    status(1, 'acting', { epoch: 2, node: 'b' }),
    status(1, 'awaiting-steer', { epoch: 2, node: 'b' }),
    thinking(2, 3, { epoch: 3, node: 'c' }),
    thinking(3, 4, { epoch: 4, node: 'd' }),
    status(3, 'done', { epoch: 4, node: 'd' }),
  ];
  const restarts = stepsOf(of, statuses).map(({ why }) => why.filter(({ kind }) => kind === 'restart').map(({ text }) => text));
  expect(restarts).toEqual([['b took it over from a'], [], ['d took it over from c']]);
});

test('a step counts what was billed from its begin to the begin of the next, also where commits were joined', () => {
  const usage = (inputTokens: number) => ({ usage: { inputTokens, outputTokens: 0, costUsd: inputTokens / 100 } });
  const of = record([user('Do it'), said('', 1), result(1), said('done')]);
  const steps = stepsOf(of, [thinking(1, 1, usage(0)), thinking(2, 3, usage(10)), status(2, 'done', usage(25))]);
  expect(steps.map((step) => [step.usage.inputTokens, step.usage.costUsd])).toEqual([
    [10, 0.1],
    [15, 0.15],
  ]);
});

test('words of operators are told where they were heard first, commands in the step after which they changed something', () => {
  const of = record(
    [user('Do it'), said('', 1), result(1), user('New instruction, in place of the earlier one: less'), said('done')],
    [
      { id: 'a', kind: 'swap', text: 'other', fate: 'applied', step: 1 },
      { id: 'b', kind: 'redirect', text: 'less', fate: 'applied', step: 2 },
      { id: 'c', kind: 'steer', text: 'late', fate: 'returned', reason: 'too late' },
    ],
  );
  const steps = stepsOf(of, [thinking(1, 1), thinking(2, 4), status(2, 'done')]);
  expect(steps.map(({ why, instruction }) => [instruction, ...why.map(({ kind, steer }) => steer ?? kind)])).toEqual([
    ['Do it', 'start'],
    ['less', 'tool', 'a', 'b'],
  ]);
});

test('a checkpoint that nobody can read leaves the steps without prompts', () => {
  const statuses = [thinking(1, 1), status(1, 'done')];
  for (const context of [{}, { messages: 'none' }, { messages: [{ role: 'x' }], steers: [null] }])
    expect(told({ ...record([]), snapshot: { context } }, statuses)).toEqual([[1, null]]);
  expect(stepsOf(record([]), [])).toEqual([]);
});
