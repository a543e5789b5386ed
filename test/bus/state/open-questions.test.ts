import { expect, it } from 'vitest';
import { type PlanRow, type Question, TaskSpec } from '../../../bus/messages.ts';
import { openQuestions } from '../../../bus/state/open-questions.ts';
import { newRecord, type StateRecord, withStatus } from '../../../bus/state/state-record.ts';

const spec = (type: string) => TaskSpec.parse({ type, instruction: `a ${type}` });
const bare = (id: string, plan: PlanRow[] = []): StateRecord => ({
  ...newRecord(id, spec(plan.length > 0 ? 'supervisor' : 'files'), 'me', '2026-01-01T00:00:00.000Z'),
  plan,
});
const row = (key: string, id: string | null, after: string[] = []): PlanRow => ({
  ...{ key, type: 'files', instruction: key, after, id },
  status: id === null ? 'waiting' : 'running',
});
const q1: Question = { id: 'q1', kind: 'asked', text: 'Which?' };
const usage = { inputTokens: 0, outputTokens: 0, costUsd: 0 };
const commit = (record: StateRecord, at: string, question: Question | null) =>
  withStatus(record, {
    at,
    state: 'awaiting-steer',
    step: 1,
    backend: null,
    paused: false,
    question,
    receipts: [],
    usage,
    outcome: null,
  });
const at = (minute: number) => `2026-01-01T00:${String(minute).padStart(2, '0')}:00.000Z`;

it('counts what waits behind a question in its own plan and in every plan above', () => {
  const goal = bare('k3xq.0', [row('a', 'k3xq.1'), row('b', null, ['a']), row('c', null, ['b']), row('d', null)]);
  const part = bare('k3xq.1', [row('x', 'k3xq.1-1'), row('y', null, ['x'])]);
  const leaf = commit(bare('k3xq.1-1'), at(1), q1);
  expect(openQuestions([goal, part, leaf])).toMatchObject([
    { id: 'k3xq.1-1', goal: 'k3xq.0', goalInstruction: 'a supervisor', key: 'x', blocked: 3, askedAt: at(1) },
  ]);
});

it('counts for a goal that asks about one sub-task what depends on that one, and else all that waits', () => {
  const goal = bare('k3xq.0', [row('a', 'k3xq.1'), row('b', null, ['a']), row('c', null)]);
  const about = { ...commit(goal, at(1), q1), snapshot: { context: { question: { key: 'a' } } } };
  expect(openQuestions([about])).toMatchObject([{ key: null, blocked: 1 }]);
  expect(openQuestions([commit(goal, at(1), q1)])).toMatchObject([{ blocked: 2 }]);
});

it('lists the oldest first, by the time at which each was asked and not by later commits', () => {
  const late = commit(bare('late.0'), at(2), q1);
  const early = commit(commit(bare('early.0'), at(1), q1), at(9), q1);
  expect(openQuestions([late, early]).map(({ id, askedAt }) => [id, askedAt])).toEqual([
    ['early.0', at(1)],
    ['late.0', at(2)],
  ]);
  const next = commit(early, at(10), { ...q1, id: 'q2' });
  expect(openQuestions([late, next]).map(({ id }) => id)).toEqual(['late.0', 'early.0']);
});

it('lists no question of a task that has ended, and none that is answered', () => {
  const answered = commit(commit(bare('k3xq.0'), at(1), q1), at(2), null);
  expect(answered.last?.askedAt).toBeUndefined();
  const asked = commit(bare('m2zz.0'), at(1), q1);
  const ended = { ...asked, last: { ...asked.last!, outcome: 'cancelled' as const } };
  expect(openQuestions([answered, ended])).toEqual([]);
});
