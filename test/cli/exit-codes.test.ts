import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { reported } from '../../cli/errors.ts';
import { exitCodeOf, exitCodes } from '../../cli/exit-codes.ts';
import { CoxError } from '../../platform/errors.ts';

const withCode = (code: string) => new CoxError(code, 'x', { hint: '' });

describe('an error ends the process with', () => {
  it.each([
    ['unknown-task', 3],
    ['unknown-type', 2],
    ['empty-goal', 2],
    ['bad-steer', 2],
    ['nats-unreachable', 6],
    ['nats-too-old', 6],
    ['bus-closed', 6],
    ['roster-invalid', 7],
    ['roster-missing', 7],
    ['download-failed', 8],
    ['no-npm', 8],
    ['no-browser', 8],
    ['no-space', 9],
    ['read-only', 9],
    ['never-heard-of', 70],
  ])('%s: %i', (code, exit) => {
    expect(exitCodeOf(withCode(code))).toBe(exit);
  });

  it('the exit code of the error itself when its code has none', () => {
    expect(exitCodeOf(new CoxError('nats-unreachable', 'x', { hint: '', exitCode: 42 }))).toBe(6);
    expect(exitCodeOf(new CoxError('never-heard-of', 'x', { hint: '', exitCode: 42 }))).toBe(42);
  });
});

describe('the report of an error', () => {
  it('says what to do about a full disk, wherever it was met', () => {
    const error = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', path: '/x/y' });
    expect(reported(error, null)).toMatchObject({
      code: 'no-space',
      exit: exitCodes.storage,
      message: expect.stringContaining('/x/y'),
    });
  });

  it('names the log file when the error is a defect', () => {
    expect(reported(new TypeError('boom'), '/state/cox.log')).toMatchObject({
      code: 'internal',
      exit: 70,
      hint: expect.stringContaining('/state/cox.log'),
    });
  });
});

it('docs/cli.md lists every exit code', () => {
  const page = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8');
  const listed = [...page.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
  expect(listed).toEqual(Object.values(exitCodes));
});
