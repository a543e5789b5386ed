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
  const lately = new RecentRecords();
  // A time in the future, so that the plan is fresh however slow the machine is.
  const now = performance.now() + 60_000;
  lately.noteRead(record('tree.0', { children: 3 }), now);
  expect(lately.plannedChildren('tree.0')).toBe(3);
  lately.noteRead(record('tree.0', { children: 4 }), performance.now() - 1_001);
  expect(lately.plannedChildren('tree.0')).toBe(null);
  lately.noteRead(record('tree.0', { children: 4 }), now);
  lately.noteWritten(record('tree.0', { children: 4, phase: 'done' }), 10, now);
  expect(lately.plannedChildren('tree.0')).toBe(null);
});

test('a sub-task that ended in this process is given once; a goal, an unfinished or a long record never', () => {
  const lately = new RecentRecords();
  lately.noteWritten(record('tree.1', { phase: 'done' }), 100, 0);
  lately.noteWritten(record('tree.2', { phase: 'parked' }), 100, 0);
  lately.noteWritten(record('tree.3', { phase: 'done' }), 1_000_000, 0);
  lately.noteWritten(record('tree.0', { phase: 'done' }), 100, 0);
  expect(lately.takeEnded('tree.1')?.id).toBe('tree.1');
  for (const id of ['tree.0', 'tree.1', 'tree.2', 'tree.3']) expect(lately.takeEnded(id)).toBe(null);
});

test('the oldest ended sub-tasks are forgotten for the newest', () => {
  const lately = new RecentRecords();
  for (let n = 1; n <= 2_001; n++) lately.noteWritten(record(`tree.${n}`, { phase: 'done' }), 100, 0);
  expect(lately.takeEnded('tree.1')).toBe(null);
  expect(lately.takeEnded('tree.2')?.id).toBe('tree.2');
  expect(lately.takeEnded('tree.2001')?.id).toBe('tree.2001');
});
