/**
 * `cox replay`: walks the steps of a task, or of all tasks of a goal, as they were made. On a terminal by keys, else all at once;
 * with --json one step a line. No backend is called.
 */
import { z } from 'zod';
import { CoxError } from '../../platform/errors.ts';
import type { Run } from '../cli.ts';
import { exitCodes } from '../exit-codes.ts';
import { count, parseOptions } from '../parse-options.ts';
import { stepLines } from '../render/replay.ts';
import { openDesk, stepsOfTree } from '../replay-steps.ts';
import { walkByKeys, walkInTime } from '../replay-walk.ts';
import { findTask, withCrew } from '../session.ts';

const Shape = z.object({
  from: count(1, 1_000_000).default(1),
  speed: z.coerce
    .number('expected a number')
    .positive('expected more than 0')
    .max(1_000_000, 'expected at most 1000000')
    .optional(),
  full: z.literal(true).optional(),
});

export const run: Run = async (cli, [ref = ''], options) => {
  const { from, speed, full = false } = parseOptions(Shape, options);
  return withCrew(cli, { start: 'if stored' }, async (joined) => {
    const id = await findTask(joined.crew, ref);
    const desk = await openDesk(cli, joined);
    try {
      const read = async () => stepsOfTree(joined, id, full ? 'whole' : 'changes', desk ? { rebuild: desk.rebuild } : {});
      const steps = await read();
      // A sub-agent that was forked begins with a later step.
      const isOne = steps.every(({ task }) => task === id);
      const first = steps.findIndex(({ n, step }) => (isOne ? step : n) >= from);
      if (steps.length > 0 && first < 0)
        throw new CoxError(
          'unknown-step',
          `${id} has no step ${from}: its last one is ${isOne ? steps.at(-1)!.step : steps.length}`,
          {
            hint: `As in: cox replay ${id} --from ${isOne ? steps.at(-1)!.step : steps.length}.`,
          },
        );
      const paint = cli.out.paint.stdout;
      const show = (step: (typeof steps)[number]) => cli.out.answer(step, stepLines(step, paint, { full }));
      if (steps.length === 0) cli.out.note(`${id} has made no step yet.`);
      else if (speed !== undefined) await walkInTime(steps.slice(first), speed, show, cli.signal);
      else if (!cli.out.json && cli.stdin.isTTY && cli.out.stdout.isTTY) await walkByKeys(cli, { steps, first, read, show });
      else for (const step of steps.slice(first)) show(step);
      return exitCodes.ok;
    } finally {
      await desk?.close();
    }
  });
};
