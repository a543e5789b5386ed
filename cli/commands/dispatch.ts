/** `cox dispatch`: a task onto the queue, its id back at once. Starts the bus when none runs, but no worker. */
import { z } from 'zod';
import type { Joined } from '../../actors/join.ts';
import { TaskSpec } from '../../bus/messages.ts';
import type { Cli, Run } from '../cli.ts';
import { usageError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { readGoal } from '../goal.ts';
import { deadline, list, parseOptions } from '../parse-options.ts';
import { readRoster } from '../roster.ts';
import { pointInTime, withCrew, workspaceFor } from '../session.ts';

const Shape = z.object({
  backend: z.string().optional(),
  needs: list.default([]),
  deadline: deadline.optional(),
});

export const run: Run = async (cli, [type = '', ...words], options) => {
  const { backend = null, needs, deadline: minutes } = parseOptions(Shape, options);
  const instruction = await readGoal(words, cli.stdin, 'cox dispatch <type> "<instruction>"');
  const spec = { type, instruction, needs, backend };
  return withCrew(cli, { start: true }, async (joined) => {
    await checkNames(cli, joined, type, backend);
    const id = await joined.crew.dispatch(
      checked({ ...spec, workspace: workspaceFor(cli, joined), deadlineAt: pointInTime(joined, minutes) }),
    );
    cli.out.answer({ id }, id);
    if (!(await someoneWorks(joined, type)))
      cli.out.note(`No node is up that works on ${type}: ${id} waits until one is (cox, cox up or cox worker).`);
    return exitCodes.ok;
  });
};

function checked(spec: z.input<typeof TaskSpec>): TaskSpec {
  const parsed = TaskSpec.safeParse(spec);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw usageError(`${issue.path.join('.')}: ${issue.message}`, 'cox dispatch --help shows an example.');
}

/** By the roster here: a name that it has not is far more often mistyped than only known elsewhere. */
async function checkNames(cli: Cli, { folders }: Joined, type: string, backend: string | null): Promise<void> {
  const { roster, source } = await readRoster(cli, folders);
  const { typesOf } = await import('../host.ts');
  const types = typesOf(roster);
  const where = `by the roster ${source.file}`;
  if (!types.includes(type))
    throw usageError(`There is no kind of task "${type}" ${where}.`, `There are: ${types.join(', ')}.`, 'unknown-type');
  const backends = Object.keys(roster.backends);
  if (backend !== null && !backends.includes(backend))
    throw usageError(
      `There is no backend "${backend}" ${where}.`,
      `There are: ${backends.join(', ')}; see cox menu.`,
      'unknown-backend',
    );
}

/** Whether any node of the crew takes tasks of this kind now. */
async function someoneWorks({ bus }: Joined, type: string): Promise<boolean> {
  const { nodesOf } = await import('../../bus/nodes.ts');
  for await (const { types, draining } of nodesOf(bus)) if (!draining && types.includes(type)) return true;
  return false;
}
