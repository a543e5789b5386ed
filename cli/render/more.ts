/** The last line of a list that goes on. */
import type { Page } from '../../bus/page.ts';
import type { Paint } from './paint.ts';
import { oneLine } from './printable.ts';

/** Empty at the end of the list. */
export const moreLines = ({ next, more }: Pick<Page<unknown>, 'next' | 'more'>, paint: Paint): string[] =>
  next === null ? [] : [paint.dim(`${more.toLocaleString('en')} more: the same command with --after ${oneLine(next, 256)}`)];
