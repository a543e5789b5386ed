/**
 * Edits of the roster from the page: of the file that the process of the console uses, on the machine of the operator. The page
 * sends what `cox roster edit` takes, is shown the difference, and says the hash of the file that it was shown when it writes.
 */
import { z } from 'zod';
import { describe } from '../../bus/parse-message.ts';
import { CoxError } from '../../platform/errors.ts';
import { readEdit } from '../../roster/edit-roster.ts';
import type { RosterSource } from '../../roster/find-roster.ts';
import { proposeEdit, writeEdit } from '../roster-file.ts';
import type { RosterEditReply } from './wire.ts';

const Body = z
  .object({
    edits: z.array(z.string().max(4_096)).max(64),
    /** Of the file that the difference was shown for; it writes. Left out: it only shows the difference. */
    write: z.string().max(64).optional(),
  })
  .strict();

export const isWriting = (body: unknown): boolean => typeof body === 'object' && body !== null && 'write' in body;

/** @throws CoxError `bad-request`, `roster-changed`, and those of edits. */
export async function editRoster(source: RosterSource, config: string, body: unknown): Promise<RosterEditReply> {
  const { data, error } = Body.safeParse(body);
  if (!data) throw new CoxError('bad-request', describe(error), { hint: 'Load the page of the console again.' });
  const proposed = await proposeEdit(source, data.edits.map(readEdit), config);
  const { file, hash, diff } = proposed;
  if (data.write === undefined) return { file, hash, diff: diff.text, backup: null };
  if (data.write !== hash)
    throw new CoxError('roster-changed', 'The roster has changed since the difference was shown', {
      hint: 'Nothing was written. Look at the difference again.',
    });
  const { backup } = await writeEdit(proposed);
  return { file, hash, diff: diff.text, backup };
}
