/** `cox compare`: two tasks side by side, such as a task and its fork. */
import { compareTasks } from '../../bus/journal/compare.ts';
import type { Run } from '../cli.ts';
import { exitCodes } from '../exit-codes.ts';
import { comparisonLines } from '../render/compare.ts';
import { findTask, withCrew } from '../session.ts';

export const run: Run = (cli, [first = '', second = '']) =>
  withCrew(cli, { start: 'if stored' }, async ({ crew }) => {
    const [a, b] = [await findTask(crew, first), await findTask(crew, second)];
    const comparison = await compareTasks(crew, a, b);
    cli.out.answer(comparison, comparisonLines(comparison, cli.out.paint.stdout));
    return exitCodes.ok;
  });
