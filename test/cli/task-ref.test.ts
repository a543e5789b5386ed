import { describe, expect, it } from 'vitest';
import { unknownTask } from '../../cli/errors.ts';
import { resolveTask } from '../../cli/task-ref.ts';

const known = ['k3xq.0', 'k3xq.1', 'k3xq.4', 'k7ab.0', 'm2zz.0', 'm2zz.1-1'];

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
