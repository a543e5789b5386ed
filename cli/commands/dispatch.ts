/** `cox dispatch`: puts a task on its queue and prints the id at once. Starts the bus if none runs, but no worker. */
import { z } from 'zod';
import { TaskSpec } from '../../bus/messages.ts';
import { foldersOf } from '../../platform/folders.ts';
import type { Cli, Run } from '../cli.ts';
import { usageError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { readGoal } from '../goal.ts';
import { checkBackend, checkType, type Known } from '../known-names.ts';
import { deadline, list, parseOptions } from '../parse-options.ts';
import { oneLine } from '../render/printable.ts';
import { readRoster } from '../roster.ts';
import { pointInTime, withCrew, workspaceFor } from '../session.ts';
import { someoneWorks } from '../working-nodes.ts';

const Shape = z.object({
  backend: z.string().optional(),
  needs: list.default([]),
  deadline: deadline.optional(),
  readOnly: z.boolean().optional(),
  produces: list.default([]),
});

type Wanted = Pick<TaskSpec, 'type' | 'needs' | 'backend'>;

export const run: Run = async (cli, [type = '', ...words], options) => {
  const { backend = null, needs, deadline: minutes, readOnly, produces } = parseOptions(Shape, options);
  const instruction = await readGoal(words, cli.stdin, 'cox dispatch <type> "<instruction>"');
  const spec = {
    ...{ type, instruction, needs, backend },
    ...(readOnly && { approval: 'every-effect' as const }),
    ...(produces.length > 0 && { produces: produces.map((file) => ({ file })) }),
  };
  const known = await readRoster(cli, foldersOf(cli.env));
  checkType(known, type);
  checkBackend(known, backend);
  return withCrew(cli, { start: true }, async (joined) => {
    const id = await joined.crew.dispatch(
      checked({ ...spec, workspace: workspaceFor(cli, joined), deadlineAt: pointInTime(joined, minutes) }),
    );
    cli.out.answer({ id }, [id]);
    if (!(await someoneWorks(joined, type)))
      cli.out.note(`No node is up that works on ${type}: ${id} waits until one starts (cox, cox up or cox worker).`);
    const why = await whyNone(cli, known, spec);
    if (why !== null) cli.out.note(`Roster ${oneLine(known.source.file, 400)}: ${oneLine(why, 400)}. ${id} will ask what to do.`);
    return exitCodes.ok;
  });
};

function checked(spec: z.input<typeof TaskSpec>): TaskSpec {
  const parsed = TaskSpec.safeParse(spec);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw usageError(`${issue.path.join('.')}: ${issue.message}`, 'cox dispatch --help shows an example.');
}

/** The reason why no backend of the local roster fits the task, or null. Another node's roster may have one that fits. */
async function whyNone(cli: Cli, { roster }: Known, { type, needs, backend }: Wanted): Promise<string | null> {
  const [{ chooseBackend }, { menuEntry }] = await Promise.all([
    import('../../roster/routing.ts'),
    import('../../roster/menu.ts'),
  ]);
  const idle = { inUse: 0, inLine: 0, restMs: 0 };
  const menu = Object.entries(roster.backends).map(([name, entry]) => menuEntry(name, entry, idle, [], cli.env));
  const need = {
    needs: needs.length > 0 ? needs : (Object.hasOwn(roster.agents, type) && roster.agents[type]?.needs) || [],
    backend,
    orchestrate: type === 'supervisor',
  };
  const route = chooseBackend(need, menu, roster.routing, () => 0);
  return route.backend === null ? route.why : null;
}
