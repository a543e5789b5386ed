/** `cox dispatch`: a task onto the queue, its id back at once. Starts the bus when none runs, but no worker. */
import { z } from 'zod';
import { TaskSpec } from '../../bus/messages.ts';
import type { Run } from '../cli.ts';
import { usageError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { readGoal } from '../goal.ts';
import { deadline, list, parseOptions } from '../parse-options.ts';
import { withCrew } from '../session.ts';

const Shape = z.object({
  backend: z.string().optional(),
  needs: list.default([]),
  deadline: deadline.optional(),
});

export const run: Run = async (cli, [type = '', ...words], options) => {
  const { backend, needs, deadline: deadlineAt } = parseOptions(Shape, options);
  const instruction = await readGoal(words, cli.stdin);
  const spec = TaskSpec.safeParse({
    type,
    instruction,
    needs,
    backend: backend ?? null,
    workspace: cli.global.workspace,
    deadlineAt: deadlineAt ?? null,
  });
  if (!spec.success) {
    const issue = spec.error.issues[0]!;
    throw usageError(
      `${issue.path.join('.')}: ${issue.message}`,
      'A type is "supervisor" or an agent kind of the roster, as in: cox dispatch files "…".',
    );
  }
  return withCrew(cli, { start: true }, async (joined) => {
    const id = await joined.crew.dispatch(spec.data);
    cli.out.answer({ id }, id);
    return exitCodes.ok;
  });
};
