/** `cox status`: shows the last status message of a task, or a line for each task. */
import { z } from 'zod';
import { ListedState, type TaskQuery, taskPage, tasksThatFit } from '../../bus/state/task-list.ts';
import { askingBelow } from '../asking-below.ts';
import { capacityTrouble } from '../capacity.ts';
import type { Run } from '../cli.ts';
import { exitCodes } from '../exit-codes.ts';
import { filterShape, pageShape, queryOf } from '../page-options.ts';
import { list, parseOptions } from '../parse-options.ts';
import { moreLines } from '../render/more.ts';
import { statusReport, summaryLines } from '../render/status.ts';
import { findTask, withCrew } from '../session.ts';

const Shape = z.object({
  all: z.literal(true).optional(),
  state: list.pipe(z.array(ListedState, 'expected states').min(1, 'expected states')).optional(),
  ...filterShape,
  ...pageShape,
});
const unfinished: NonNullable<TaskQuery['state']> = ['unfinished'];

export const run: Run = async (cli, [ref], options) =>
  withCrew(cli, { start: 'if stored' }, async (joined) => {
    const paint = cli.out.paint.stdout;
    if (ref !== undefined) {
      const id = await findTask(joined.crew, ref);
      const [status, trouble] = await Promise.all([joined.crew.status(id), capacityTrouble(joined.bus)]);
      if (trouble) cli.out.note(`${trouble.message} ${trouble.hint}`);
      // A sub-task that no worker has claimed yet has no status message.
      const asking = status ? await askingBelow(joined.crew, status) : 0;
      const report = status && statusReport(status, joined.bus.now(), paint, undefined, asking);
      if (report) cli.out.answer({ ...status, ...(asking > 0 && { asking }) }, report);
      else cli.out.answer({ id, state: 'idle' }, [`${id} is waiting for a worker`]);
      return exitCodes.ok;
    }
    const given = parseOptions(Shape, options);
    const state = given.state ?? (given.all ? undefined : unfinished);
    const query = await queryOf(joined.crew, given);
    const [all, trouble] = await Promise.all([joined.crew.tasks(query.root), capacityTrouble(joined.bus)]);
    if (trouble) cli.out.note(`${trouble.message} ${trouble.hint}`);
    const { rows: tasks, next, more } = taskPage(all, { ...query, ...(state && { state }) });
    const hidden = state === unfinished ? tasksThatFit(all, { ...query, state: ['done'] }).length : 0;
    const rest = hidden > 0 ? `${hidden} finished (--all shows them)` : tasks.length === 0 ? 'no tasks' : '';
    cli.out.answer({ tasks, next, more, full: trouble?.isFull ?? false }, [
      ...summaryLines(tasks, paint),
      ...(rest ? [paint.dim(rest)] : []),
      ...moreLines({ next, more }, paint),
    ]);
    return exitCodes.ok;
  });
