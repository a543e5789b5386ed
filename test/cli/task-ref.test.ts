import { describe, expect, it } from 'vitest';
import { unknownTask } from '../../cli/errors.ts';
import { resolveName, resolveTask } from '../../cli/task-ref.ts';

const known = ['k3xq.0', 'k3xq.1', 'k3xq.4', 'k7ab.0', 'm2zz.0', 'm2zz.1-1'];

const node = (id: string, parent: string | null, key: string | null, outcome: string | null = null) => ({
  id,
  parent,
  key,
  outcome,
});
const keyed = [
  node('k3xq.0', null, null),
  node('k3xq.1', 'k3xq.0', 'report'),
  node('k3xq.4', 'k3xq.0', 'README.md'),
  node('k3xq.4-1', 'k3xq.4', 'part'),
  node('m2zz.0', null, null),
  node('m2zz.1', 'm2zz.0', 'report'),
  node('m2zz.2', 'm2zz.0', 'done', 'completed'),
  node('m2zz.3', 'm2zz.0', 'k'),
];

describe('a task is named', () => {
  it.each([
    ['k3xq.4', 'k3xq.4'],
    ['k3xq', 'k3xq.0'],
    ['k3', 'k3xq.0'],
    ['k3.4', 'k3xq.4'],
    ['m', 'm2zz.0'],
    ['m.1-1', 'm2zz.1-1'],
  ])('by %s', (ref, id) => {
    expect(resolveTask(ref, known, null)).toBe(id);
  });

  it('by its path alone, within the goal of the last command', () => {
    expect(resolveTask('.4', known, 'm2zz.0')).toBe('m2zz.4');
  });

  it('by its full id, even if the task is unknown', () => {
    expect(resolveTask('zzzz.7', [], null)).toBe('zzzz.7');
  });

  it('not by a prefix that two goals share', () => {
    expect(() => resolveTask('k', known, null)).toThrowError(
      expect.objectContaining({ code: 'ambiguous-task', message: '"k" may be k3xq.0 or k7ab.0.' }),
    );
  });

  it('not by a prefix that no goal has', () => {
    expect(() => resolveTask('q', known, null)).toThrowError(expect.objectContaining({ code: 'unknown-task', exitCode: 3 }));
    expect(() => resolveTask('etc/passwd', known, null)).toThrowError(expect.objectContaining({ code: 'unknown-task' }));
  });

  it('not by a malformed path', () => {
    expect(() => resolveTask('k3xq.', known, null)).toThrowError(expect.objectContaining({ code: 'usage' }));
    expect(() => resolveTask('.x', known, 'k3xq.0')).toThrowError(expect.objectContaining({ code: 'usage' }));
    expect(() => resolveTask('.4', known, null)).toThrowError(expect.objectContaining({ code: 'usage' }));
  });

  it('by its key in the plan, with its goal or alone', () => {
    const name = (ref: string, lastGoal: string | null = null) => resolveName(ref, keyed, lastGoal);
    expect(name('k3xq/report')).toBe('k3xq.1');
    expect(name('k3/README.md')).toBe('k3xq.4');
    expect(name('k3xq.4/part')).toBe('k3xq.4-1');
    expect(name('README.md')).toBe('k3xq.4');
    expect(name('/report', 'm2zz.0')).toBe('m2zz.1');
    expect(name('report', 'm2zz.0')).toBe('m2zz.1');
    expect(name('done')).toBe('m2zz.2');
    expect(name('k3.4')).toBe('k3xq.4');
  });

  it('not by a key that two sub-tasks have, or that may be a goal', () => {
    const ambiguous = (text: string) =>
      expect.objectContaining({ code: 'ambiguous-task', message: expect.stringContaining(text) });
    expect(() => resolveName('report', keyed, null)).toThrowError(ambiguous('k3xq.1 (report) or m2zz.1 (report)'));
    expect(() => resolveName('k', keyed, null)).toThrowError(ambiguous('k3xq.0 or m2zz.3 (k)'));
    const unknown = expect.objectContaining({ code: 'unknown-task', hint: expect.stringContaining('It has report') });
    expect(() => resolveName('k3xq/reprot', keyed, null)).toThrowError(unknown);
    expect(() => resolveName('/report', keyed, null)).toThrowError(expect.objectContaining({ code: 'usage' }));
  });

  it('with the nearest ids as a hint when it is mistyped', () => {
    expect(unknownTask('kx3q', known).hint).toBe('Did you mean k3xq.0 or k3xq.1 or k3xq.4?');
    expect(unknownTask('m2z.0', known).hint).toBe('Did you mean m2zz.0 or m2zz.1-1?');
    expect(unknownTask('zzzz', known).hint).toMatch(/^There are m2zz/);
    const many = Array.from({ length: 20 }, (_, n) => `k3xq.${n}`);
    expect(unknownTask('k3xp', many).hint).toMatch(/^Did you mean k3xq\.0 .* "cox status --all" lists all\.$/);
  });

  it('with a hint when it is unknown: tasks of its tree, else the newest', () => {
    const hint = (ref: string) => {
      try {
        resolveTask(ref, ['old.0', 'k3xq.0', 'k3xq.1', 'newest.0'], null);
      } catch (error) {
        return (error as { hint: string }).hint;
      }
    };
    expect(hint('q')).toMatch(/^There are newest\.0, k3xq\.1/);
    expect(unknownTask('k3xq.7', known).hint).toMatch(/^There are k3xq\.0, k3xq\.1, k3xq\.4\./);
  });
});
