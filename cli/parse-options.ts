/** The options of one command, checked once: what comes out can be trusted. */
import { z } from 'zod';
import type { Options } from './cli.ts';
import { usageError } from './errors.ts';

export function parseOptions<T extends z.ZodType>(shape: T, options: Options): z.infer<T> {
  const result = shape.safeParse(options);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const flag = `--${String(issue.path[0] ?? '').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  throw usageError(`${flag}: ${issue.message}`, 'cox <command> --help says what it takes.');
}

/** A whole number on the command line. */
export const count = (least: number, most: number) =>
  z.coerce
    .number('expected a whole number')
    .int('expected a whole number')
    .min(least, `expected at least ${least}`)
    .max(most, `expected at most ${most}`);

/** `a, b,c`: the words between commas. */
export const list = z.string().transform((text) =>
  text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== ''),
);

/** Minutes from now: `pointInTime` says when that is. */
export const deadline = z.coerce
  .number('expected a number of minutes')
  .positive('expected more than 0 minutes')
  .max(525_600, 'expected at most a year');
