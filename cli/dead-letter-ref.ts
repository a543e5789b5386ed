/** Resolves an operator's name for a dead letter: its id or an unambiguous prefix of it. */
import type { DeadLetter } from '../bus/messages.ts';
import { CoxError } from '../platform/errors.ts';
import { someOf } from './errors.ts';
import { exitCodes } from './exit-codes.ts';

export function findLetter(letters: readonly DeadLetter[], ref: string): DeadLetter {
  // `k3xq` means the goal `k3xq.0`, as in every command.
  const exact = letters.find(({ id }) => id === ref) ?? letters.find(({ id }) => id === `${ref}.0`);
  if (exact) return exact;
  const [only, ...more] = letters.filter(({ id }) => id.startsWith(ref));
  if (only && more.length === 0) return only;
  const ids = (only ? [only, ...more] : letters).map(({ id }) => id);
  throw new CoxError('unknown-letter', only ? `"${ref}" may be ${someOf(ids)}.` : `No dead letter ${ref}.`, {
    hint: only ? 'Type one more letter.' : ids.length > 0 ? `There are: ${ids.slice(0, 8).join(', ')}.` : 'There are none.',
    exitCode: exitCodes.unknownTask,
  });
}
