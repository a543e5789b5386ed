/** Checks the options of a node before anything is started. */
import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { describe } from '../../bus/parse-message.ts';
import { CoxError, messageOf } from '../../platform/errors.ts';
import type { Log } from '../../platform/log.ts';
import { nearest } from '../../platform/nearest.ts';
import { defineKind } from '../kinds/define-kind.ts';
import type { Kind } from '../kinds/kind.ts';

const ms = z
  .number()
  .int()
  .min(1)
  .max(2 ** 31 - 1);
const isFunction = (it: unknown): boolean => typeof it === 'function';
const Options = z.object({
  workspace: z.string().refine(isAbsolute, 'expected an absolute path'),
  types: z.array(z.string()).optional(),
  slots: z.int().min(1).max(10_000).optional(),
  kinds: z.array(z.unknown()).optional(),
  metrics: z.boolean().optional(),
  note: z.custom(isFunction, 'expected a function').optional(),
  onProgress: z.custom(isFunction, 'expected a function').optional(),
  leaseMs: ms.optional(),
  quietMs: ms.or(z.literal(0)).optional(),
  drainMs: ms.or(z.literal(0)).optional(),
});

/** @throws CoxError `bad-options`, which names the option. */
export function checkOptions(options: object): void {
  const { error } = Options.safeParse(options);
  if (error)
    throw new CoxError('bad-options', `A node cannot be started with these options: ${describe(error)}`, {
      hint: 'Correct the named option.',
    });
}

/** Kinds that did not come from `defineKind` are checked as it does. @throws CoxError `bad-kind`, `bad-tool`. */
export function checkedKinds(kinds: readonly Kind[]): Kind[] {
  const twice = kinds.find(({ name }, at) => kinds.findIndex((other) => other.name === name) !== at);
  if (twice)
    throw new CoxError('bad-kind', `There are two kinds named "${twice.name}"`, { hint: 'Give one of them another name.' });
  return kinds.map(defineKind);
}

/** @throws CoxError `unknown-type`, with the names that were probably meant. */
export function checkTypes(types: readonly string[], known: readonly string[]): void {
  const unknown = types.filter((type) => !known.includes(type));
  if (unknown.length === 0) return;
  const meant = [...new Set(unknown.flatMap((type) => nearest(type, known)))];
  throw new CoxError('unknown-type', `There is no kind of task "${unknown.map((type) => type.slice(0, 64)).join('", "')}"`, {
    hint: `${meant.length > 0 ? `Did you mean ${meant.join(' or ')}? ` : ''}There are: ${known.join(', ')}.`,
  });
}

/** A function of the program that is only told something: its errors are logged and stop nothing. */
export function harmless<Said>(tell: (said: Said) => void, log: Log): (said: Said) => void {
  return (said) => {
    try {
      tell(said);
    } catch (cause) {
      log.warn({ err: new Error(messageOf(cause)) }, 'a function of the program failed');
    }
  };
}
