import { expect, test } from 'vitest';
import { z } from 'zod';
import { promptFor } from '../../../actors/primary/prompt.ts';
import { taskLines } from '../../../actors/primary/task-descriptions.ts';
import { defineTool } from '../../../actors/tools/tool.ts';
import type { TaskSummary } from '../../../bus/state/tree.ts';
import type { Message } from '../../../machines/conversation.ts';

const tool = (name: string) =>
  defineTool({ name, description: name, args: z.object({}), effects: 'none', run: async () => ({ text: '' }) });
const tools = ['dispatch_task', 'delegate_many', 'swap_model'].map(tool);
const task = (id: string, more: Partial<TaskSummary> = {}): TaskSummary => ({
  id,
  key: null,
  parent: id.endsWith('.0') ? null : `${id.split('.')[0]}.0`,
  type: 'files',
  instruction: `Do ${id}`,
  phase: 'held',
  state: 'thinking',
  outcome: null,
  question: null,
  step: 2,
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
  ...more,
});
const big = { kind: 'openai', context: 8_000 } as const;
const small = { kind: 'embedded', context: 8_192 } as const;
const talk = (turns: number, chars: number): Message[] =>
  Array.from({ length: turns }, (_, n): Message[] => [
    { role: 'user', text: `word ${n}` },
    { role: 'assistant', text: `${n} `.padEnd(chars, '.') },
  ]).flat();
const prompt = (options: Partial<Parameters<typeof promptFor>[0]>) =>
  promptFor({ messages: talk(1, 5), isLast: false, tasks: [], tools, backend: big, menu: [], ...options });
const sizeOf = ({ messages }: { messages: readonly { text: string }[] }) =>
  messages.reduce((sum, { text }) => sum + text.length, 0);

test('the system prompt lists the tasks of this moment', () => {
  expect(prompt({ tasks: [task('aaaa.0')] }).messages[0]!.text).toMatch(
    /Tasks now:\n- aaaa\.0 \(files\) is thinking, step 2: Do aaaa\.0$/,
  );
  expect(prompt({ tasks: null }).messages[0]!.text).toContain('the bus does not answer');
});

test('a small model gets the changing parts last, so that all before them is read once', () => {
  const before = prompt({ backend: small, tasks: [] }).messages;
  const after = prompt({ backend: small, tasks: [task('aaaa.0')] }).messages;
  const newest = before.findLastIndex(({ role }) => role === 'user');
  expect(after.slice(0, newest)).toEqual(before.slice(0, newest));
  expect(after[newest]!.text).toMatch(/^Tasks now:\n- aaaa\.0 [\s\S]*\n\nword 0$/);
});

test('a long conversation loses its oldest turns until it fits the backend', () => {
  const messages = talk(200, 500);
  const fitted = prompt({ messages });
  expect(sizeOf(fitted)).toBeLessThan(8_000 * 3);
  expect(sizeOf(fitted)).toBeGreaterThan(8_000);
  expect(fitted.messages.at(-1)).toBe(messages.at(-1));
  expect(fitted.messages[1]!.role).toBe('user');
  expect(sizeOf(prompt({ messages, backend: small }))).toBeLessThan(8_000);
});

test('a long tool result does not push out the rest of its turn', () => {
  const messages: Message[] = [
    { role: 'user', text: 'what did it find?' },
    { role: 'assistant', text: '', calls: [{ id: '1', tool: 'get_task_result', args: {}, effects: 'none' }] },
    { role: 'tool', call: '1', text: 'x'.repeat(100_000) },
  ];
  const fitted = prompt({ messages });
  expect(fitted.messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'tool']);
  expect(sizeOf(fitted)).toBeLessThan(8_000 * 3);
});

test('the last call has no tools, and a small model is offered fewer', () => {
  expect(prompt({}).tools).toHaveLength(3);
  expect(prompt({ isLast: true }).tools).toBeUndefined();
  expect(prompt({ backend: small }).tools!.map(({ name }) => name)).toEqual(['dispatch_task']);
  expect(prompt({ backend: small, isLast: true }).toolChoice).toBe('none');
});

test('the list of tasks has questions first, then goals, then sub-tasks, and the latest of the ended goals', () => {
  const asking = task('bbbb.2', { state: 'awaiting-steer', question: { id: 'q1', kind: 'asked', text: 'Which\none?' } });
  const ended = ['c', 'd', 'e', 'f'].map((letter, n) =>
    task(`${letter.repeat(4)}.0`, { outcome: 'completed', updatedAt: `2026-01-0${n + 2}T00:00:00.000Z` }),
  );
  const lines = taskLines([...ended, task('bbbb.1'), task('bbbb.3'), task('bbbb.0'), asking], 3)!.split('\n');
  expect(lines.map((line) => line.slice(0, 8))).toEqual([
    '- bbbb.2',
    '- bbbb.0',
    '- bbbb.1',
    '(1 more)',
    '- ffff.0',
    '- eeee.0',
    '- dddd.0',
  ]);
  expect(lines[0]).toContain('question q1: "Which one?"');
  expect(taskLines([], 3)).toBeNull();
});
