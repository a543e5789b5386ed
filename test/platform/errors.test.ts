import { expect, test } from 'vitest';
import { CoxError, storageError } from '../../platform/errors.ts';

const failed = (code: string, syscall = 'open') =>
  Object.assign(new Error(`${code}: it failed, ${syscall} 'x'`), { code, syscall });

test.each([
  ['ENOSPC', 'write', 'no-space'],
  ['EDQUOT', 'write', 'no-space'],
  ['EROFS', 'open', 'read-only'],
  ['EACCES', 'open', 'read-only'],
  // Node’s error for a folder that cannot be made on a read-only disk, with those above it.
  ['ENOENT', 'mkdir', 'read-only'],
  ['ENOENT', 'open', 'storage-failed'],
  ['EIO', 'read', 'storage-failed'],
])('%s of %s is %s to an operator', (code, syscall, expected) => {
  const error = storageError(failed(code, syscall), '/state/lock', 'taking the lock');
  expect(error).toMatchObject({ code: expected, message: expect.stringContaining('/state/lock') });
  expect(error.hint).not.toBe('');
});

test('an error for operators is passed on unchanged', () => {
  const known = new CoxError('download-failed', 'No.', { hint: 'Try again.' });
  expect(storageError(known, 'x', 'y')).toBe(known);
});
