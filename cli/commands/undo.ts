/** `cox undo`: restores the files that a task, or all tasks of a goal, have changed. Shows what it would do and asks first. */
import { z } from 'zod';
import type { CrewSession } from '../../actors/node/join.ts';
import type { Result } from '../../bus/messages.ts';
import { planUndo, startUndo, type UndoPlan } from '../../bus/undo.ts';
import type { Cli, Run } from '../cli.ts';
import { isConfirmed } from '../confirm.ts';
import { drainNode } from '../drain.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { hostNode } from '../hosted-node.ts';
import { parseOptions } from '../parse-options.ts';
import { salvageLines } from '../render/result.ts';
import { undoLines } from '../render/undo.ts';
import { findTask, withCrew } from '../session.ts';
import { stepOf } from '../step.ts';
import { someoneWorks } from '../working-nodes.ts';
import { exitOf } from './result.ts';

const howToGoOn = '--yes undoes without a question; --dry-run only shows what it would do.';
const Shape = z.object({ yes: z.literal(true).optional(), dryRun: z.literal(true).optional() });

export const run: Run = async (cli, [ref = '', typedStep], options) => {
  const { yes, dryRun } = parseOptions(Shape, options);
  const step = stepOf(typedStep);
  return withCrew(cli, { start: 'if stored' }, async (joined) => {
    const plan = await planUndo(joined.crew, await findTask(joined.crew, ref), step);
    const { of, files, left } = plan;
    const lines = undoLines(plan, cli.out.paint.stderr);
    if (dryRun || files.length === 0) {
      cli.out.answer({ id: null, of, files, left, effects: [] }, lines);
      return dryRun || left.length === 0 ? exitCodes.ok : exitCodes.failed;
    }
    if (!cli.global.json) cli.out.note(lines);
    if (!yes && !(await isConfirmed(cli, 'Undo this?', howToGoOn))) {
      cli.out.note('Nothing was undone.');
      return exitCodes.cancelled;
    }
    return carryOut(cli, joined, plan);
  });
};

/** If no node of the crew works on the type of the undone task, this process does for as long as it takes. */
async function carryOut(cli: Cli, joined: CrewSession, plan: UndoPlan): Promise<ExitCode> {
  const { type } = plan;
  const isHosted = !(await someoneWorks(joined, type));
  const isHere = isHosted && joined.server.embedded;
  const note = (said: string) => cli.out.note(said);
  const node = isHere ? await hostNode(cli, joined, { types: [type], slots: 1, onProgress: () => {}, note }) : null;
  try {
    const id = await startUndo(joined.crew, plan);
    if (isHosted && !node) note(`No node is up that works on ${type}: ${id} waits until one starts (cox up or cox worker).`);
    return print(cli, plan, await joined.crew.result(id, cli.signal));
  } finally {
    if (node) await drainNode(cli, { node, joined, patienceMs: 1_000 });
  }
}

function print(cli: Cli, { of, files, left }: UndoPlan, result: Result): ExitCode {
  const { id, output, outcome, effects = [] } = result;
  cli.out.content({ id, of, files, left, outcome, effects }, output ?? '');
  if (!cli.global.json && outcome !== 'completed') cli.out.note(salvageLines(result, cli.out.paint.stderr));
  const isWhole = effects.every((effect) => effect.outcome === 'done');
  return outcome === 'completed' && !isWhole ? exitCodes.failed : exitOf(result);
}
