import { expect, test } from 'vitest';
import { allowedFor } from '../../../actors/primary/narrow.ts';
import type { TaskSummary } from '../../../bus/state/tree.ts';

const task = (id: string, instruction: string, question: TaskSummary['question'] = null): TaskSummary => ({
  id: id as TaskSummary['id'],
  parent: null,
  type: 'reasoning',
  key: null,
  instruction,
  phase: 'held',
  state: 'thinking',
  outcome: null,
  question,
  step: 1,
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
});
const invitation = task('aaaa.0', 'Draft an invitation');
const poem = task('bbbb.0', 'Write a poem');
const tools = [
  'dispatch_task',
  'check_task_status',
  'steer_task',
  'answer_question',
  'cancel_task',
  'pause_task',
  'resume_task',
  'get_task_result',
  'list_backends',
  'remember',
  'recall',
];
const allowed = (line: string, tasks = [invitation, poem]) => allowedFor(line, tasks, tools);

test('a line about one task is an act on it: the act that its words name, else a correction', () => {
  expect(allowed('the invitation please in German')).toEqual({ mode: 'required', only: ['steer_task'] });
  expect(allowed('I do not need the invitation, cancel it')).toEqual({ mode: 'required', only: ['cancel_task'] });
});

test('new work that has words of a task is no act on it', () => {
  const { mode, only } = allowed('write an invitation for Anna');
  expect(mode).toBe('auto');
  expect(only).not.toContain('steer_task');
});

test('a question about a task only reads', () => {
  expect(allowed('is the invitation ready?')).toEqual({ mode: 'required', only: ['check_task_status', 'get_task_result'] });
});

test('no act is offered that the words do not name, and none without tasks', () => {
  const { mode, only } = allowed('make a list of all functions in src');
  expect(mode).toBe('auto');
  expect(only).toContain('dispatch_task');
  expect(only).not.toContain('cancel_task');
  expect(only).not.toContain('list_backends');
  expect(allowed('stop it', []).only).not.toContain('cancel_task');
});

test('a correction without a name needs one task, or a pronoun and no file', () => {
  expect(allowed('compare a.txt with b.txt').only).not.toContain('steer_task');
  expect(allowed('make it shorter').only).toContain('steer_task');
  expect(allowed('shorter sentences please', [poem]).only).toContain('steer_task');
});

test('an answer is offered while a task asks', () => {
  const asking = { ...invitation, question: { id: 'q1', kind: 'asked' as const, text: 'How many?' } };
  expect(allowed('four', [asking]).only).toContain('answer_question');
  expect(allowed('four').only).not.toContain('answer_question');
});

test('what is the operator’s own is looked up in the notes', () => {
  expect(allowed('what is my boss called?')).toEqual({ mode: 'required', only: ['recall'] });
});
