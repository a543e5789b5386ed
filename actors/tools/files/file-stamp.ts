/** A stamp of a file is another one after every write of the file. */
import type { BigIntStats } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { codeOf } from '../../../platform/errors.ts';

export const stampOf = ({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string =>
  [dev, ino, size, mtimeNs, ctimeNs].join(' ');

/** Of a link it is the stamp of the link itself. @returns null: there is nothing. */
export async function stampAt(address: string): Promise<string | null> {
  const found = await lstat(address, { bigint: true }).catch((cause: unknown) => {
    if (codeOf(cause) === 'ENOENT') return null;
    throw cause;
  });
  return found && stampOf(found);
}
