import { usageError } from './errors.ts';

/** The number of a step as an operator typed it. @returns null if none was typed. @throws CoxError `usage`. */
export function stepOf(typed: string | undefined): number | null {
  if (typed === undefined) return null;
  const step = Number(typed);
  if (!/^\d+$/.test(typed) || !Number.isSafeInteger(step))
    throw usageError(
      `"${typed}" is not the number of a step.`,
      'A step is a number from 1; "cox result <id>" names the steps of its effects.',
    );
  return step;
}
