/**
 * Edits of the roster file of this machine: proposed with a diff, then written as a whole with the old one beside it. `cox roster
 * edit`, the roster page of the console and `always` at an approval use it (docs/adr/0046).
 */
import { readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { replaceFile } from '../actors/tools/files/replace-file.ts';
import { type LineDiff, lineDiff } from '../actors/tools/files/unified-diff.ts';
import { CoxError, codeOf } from '../platform/errors.ts';
import { type RosterEdit, withEdits } from '../roster/edit-roster.ts';
import { RosterError } from '../roster/errors.ts';
import type { RosterSource } from '../roster/find-roster.ts';
import { rosterHash } from '../roster/roster-hash.ts';
import { exitCodes } from './exit-codes.ts';

export interface ProposedEdit {
  /** As it was named; a link is followed when the file is written. */
  readonly file: string;
  /** SHA-256 of the file that the edit was made for. */
  readonly hash: string;
  readonly text: string;
  readonly diff: LineDiff;
}

const mostBytes = 1_048_576;
/** The file before the last edit, beside it. */
export const backupOf = (file: string): string => `${file}.bak`;

/** @throws RosterError `roster-shipped`, `roster-edit`, `roster-invalid`, `roster-missing`, `roster-unreadable`. */
export async function proposeEdit(
  source: RosterSource,
  edits: readonly RosterEdit[],
  configFolder: string,
): Promise<ProposedEdit> {
  const { file, by } = source;
  if (by === 'shipped')
    throw new RosterError('roster-shipped', file, 'The roster in use is the shipped one, which an update replaces', [], {
      hint: `Copy it first: mkdir -p "${configFolder}" && cp "${file}" "${join(configFolder, 'roster.yaml')}". Nothing was changed.`,
    });
  const bytes = await bytesOf(file);
  const text = bytes.toString('utf8');
  if (!Buffer.from(text).equals(bytes))
    throw new RosterError('roster-unreadable', file, `The roster is no UTF-8, and only such a file is edited: ${file}`, [], {
      hint: 'Save it as UTF-8 in an editor. Nothing was changed.',
    });
  const edited = withEdits(text, file, edits);
  return { file, hash: rosterHash(bytes), text: edited.text, diff: await lineDiff(basename(file), text, edited.text) };
}

/**
 * Writes what was proposed, and the old file beside it. Both keep the mode of the old one.
 * @returns path of the old file. @throws CoxError `roster-changed` if the file is not as it was when the edit was proposed.
 */
export async function writeEdit({ file: named, hash, text }: Omit<ProposedEdit, 'diff'>): Promise<{ backup: string }> {
  const file = await realpath(named).catch(() => named);
  const bytes = await bytesOf(file);
  const mustBeSame = (now: Uint8Array) => {
    if (rosterHash(now) !== hash)
      throw new CoxError('roster-changed', `${named} has changed since the edit was shown`, {
        hint: 'Nothing was written. Make the edit again, and look at its difference.',
        exitCode: exitCodes.failed,
      });
  };
  mustBeSame(bytes);
  const { mode } = await stat(file);
  const at = (path: string) => ({ root: dirname(file), file: path, name: path });
  await replaceFile(at(backupOf(file)), bytes, mode);
  mustBeSame(await bytesOf(file));
  await replaceFile(at(file), Buffer.from(text), mode);
  return { backup: backupOf(file) };
}

async function bytesOf(file: string): Promise<Buffer> {
  const { size } = await stat(file).catch((cause) => {
    throw new RosterError('roster-missing', file, `The roster is not there: ${file}`, [], {
      hint: codeOf(cause) === 'ENOENT' ? 'Create the file, or name another one.' : 'Make it a readable file.',
      cause,
    });
  });
  if (size > mostBytes)
    throw new RosterError('roster-unreadable', file, `The roster is larger than ${mostBytes} bytes: ${file}`, [], {
      hint: 'Name another one.',
    });
  return readFile(file);
}
