import { expect, test } from 'vitest';
import { TaskSpec } from '../../../bus/messages.ts';
import { RecentRecords } from '../../../bus/state/recent-records.ts';
import { newRecord, type StateRecord } from '../../../bus/state/state-record.ts';

const spec = TaskSpec.parse({ type: 'echo', instruction: 'x' });
const record = (id: string, more: Partial<StateRecord> = {}): StateRecord => ({
  ...newRecord(id, spec, 'node', '2026-01-01T00:00:00Z'),
  ...more,
});

test('a plan that was read is trusted for a second and not after the end of its goal', () => {
  const recent = new RecentRecords();
  // A time in the future, so that the plan is fresh however slow the machine is.
  const now = performance.now() + 60_000;
  recent.noteRead(record('tree.0', { children: 3 }), now);
  expect(recent.plannedChildren('tree.0')).toBe(3);
  recent.noteRead(record('tree.0', { children: 4 }), performance.now() - 1_001);
  expect(recent.plannedChildren('tree.0')).toBe(null);
  recent.noteRead(record('tree.0', { children: 4 }), now);
  recent.noteWritten(record('tree.0', { children: 4, phase: 'done' }), 10, now);
  expect(recent.plannedChildren('tree.0')).toBe(null);
});

test('a sub-task that ended in this process is given once; a goal, an unfinished or a long record never', () => {
  const recent = new RecentRecords();
  recent.noteWritten(record('tree.1', { phase: 'done' }), 100, 0);
  recent.noteWritten(record('tree.2', { phase: 'parked' }), 100, 0);
  recent.noteWritten(record('tree.3', { phase: 'done' }), 1_000_000, 0);
  recent.noteWritten(record('tree.0', { phase: 'done' }), 100, 0);
  expect(recent.takeEnded('tree.1')?.id).toBe('tree.1');
  for (const id of ['tree.0', 'tree.1', 'tree.2', 'tree.3']) expect(recent.takeEnded(id)).toBe(null);
});

test('the oldest ended sub-tasks are forgotten for the newest', () => {
  const recent = new RecentRecords();
  for (let n = 1; n <= 2_001; n++) recent.noteWritten(record(`tree.${n}`, { phase: 'done' }), 100, 0);
  expect(recent.takeEnded('tree.1')).toBe(null);
  expect(recent.takeEnded('tree.2')?.id).toBe('tree.2');
  expect(recent.takeEnded('tree.2001')?.id).toBe('tree.2001');
});
