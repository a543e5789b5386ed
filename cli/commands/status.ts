/** `cox status`: shows the last status message of a task, or a line for each task. */

import { capacityTrouble } from '../capacity.ts';
import type { Run } from '../cli.ts';
import { exitCodes } from '../exit-codes.ts';
import { statusText, summaryLines } from '../render/status.ts';
import { findTask, withCrew } from '../session.ts';

export const run: Run = async (cli, [ref], options) =>
  withCrew(cli, { start: 'if stored' }, async (joined) => {
    const paint = cli.out.paint.stdout;
    if (ref !== undefined) {
      const id = await findTask(joined.crew, ref);
      const [status, trouble] = await Promise.all([joined.crew.status(id), capacityTrouble(joined.bus)]);
      if (trouble) cli.out.note(`${trouble.message} ${trouble.hint}`);
      // A sub-task that no worker has claimed yet has no status message.
      if (status) cli.out.answer(status, statusText(status, joined.bus.now(), paint));
      else cli.out.answer({ id, state: 'idle' }, `${id} is waiting for a worker`);
      return exitCodes.ok;
    }
    const [all, trouble] = await Promise.all([joined.crew.tasks(), capacityTrouble(joined.bus)]);
    if (trouble) cli.out.note(`${trouble.message} ${trouble.hint}`);
    const tasks = options.all === true ? all : all.filter((task) => task.outcome === null);
    const hidden = all.length - tasks.length;
    const rest = hidden > 0 ? `${hidden} finished (--all shows them)` : tasks.length === 0 ? 'no tasks' : '';
    cli.out.answer(
      { tasks, full: trouble?.isFull ?? false },
      [...summaryLines(tasks, paint), ...(rest ? [paint.dim(rest)] : [])].join('\n'),
    );
    return exitCodes.ok;
  });
