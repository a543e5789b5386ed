/** `cox tree`: shows a task and all its sub-tasks. */
import type { Run } from '../cli.ts';
import { exitCodes } from '../exit-codes.ts';
import { treeLines } from '../render/tree.ts';
import { findTask, withCrew } from '../session.ts';

export const run: Run = async (cli, [ref = '']) =>
  withCrew(cli, { start: 'if stored' }, async (joined) => {
    const id = await findTask(joined.crew, ref);
    const nodes = await joined.crew.tree(id);
    cli.out.answer({ id, nodes }, treeLines(nodes, cli.out.paint.stdout, cli.out.stdout.columns));
    return exitCodes.ok;
  });
