/** Checks the options of a command against its zod schema, and has schemas for common kinds of option. */
import { z } from 'zod';
import type { Options } from './cli.ts';
import { usageError } from './errors.ts';

export function parseOptions<T extends z.ZodType>(shape: T, options: Options): z.infer<T> {
  const result = shape.safeParse(options);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const flag = `--${String(issue.path[0] ?? '').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  throw usageError(`${flag}: ${issue.message}`, 'cox <command> --help explains the options.');
}

/** A whole number from `least` to `most`. */
export const count = (least: number, most: number) =>
  z.coerce
    .number('expected a whole number')
    .int('expected a whole number')
    .min(least, `expected at least ${least}`)
    .max(most, `expected at most ${most}`);

/** A list of words separated by commas: `a, b,c`. */
export const list = z.string().transform((text) =>
  text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== ''),
);

/** A deadline in minutes from now, at most a year. `pointInTime` in session.ts converts it to a time. */
export const deadline = z.coerce
  .number('expected a number of minutes')
  .positive('expected more than 0 minutes')
  .max(525_600, 'expected at most a year');
