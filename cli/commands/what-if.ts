/**
 * `cox what-if`: sends the call of a single step again, to another backend, and prints the reply. No task is changed, no call of a
 * tool is run, and nothing is stored. The reply is billed, so the operator is asked where the backend has a price.
 */
import { z } from 'zod';
import { readJournal, toldIn } from '../../bus/journal/journal.ts';
import { RemoteCrew } from '../../bus/remote-crew.ts';
import { CoxError } from '../../platform/errors.ts';
import type { Run } from '../cli.ts';
import { isConfirmed } from '../confirm.ts';
import { usageError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { checkBackend } from '../known-names.ts';
import { count, parseOptions } from '../parse-options.ts';
import { whatIfLines } from '../render/what-if.ts';
import { openDesk } from '../replay-steps.ts';
import { readRoster } from '../roster.ts';
import { findTask, withCrew } from '../session.ts';

const Shape = z.object({ at: count(1, 1_000_000), backend: z.string(), yes: z.literal(true).optional() });
const example = 'As in: cox what-if k3xq.4 --at 3 --backend frontier. "cox replay k3xq.4" shows the steps.';

export const run: Run = async (cli, [ref = ''], options) => {
  if (options.at === undefined || options.backend === undefined) throw usageError('Which step, and which backend?', example);
  const { at, backend, yes } = parseOptions(Shape, options);
  return withCrew(cli, { start: 'if stored' }, async (joined) => {
    const { crew, bus } = joined;
    if (crew instanceof RemoteCrew)
      throw new CoxError('role-denied', 'This member may not read the records of tasks', {
        hint: 'Ask on a machine that hosts them.',
      });
    const id = await findTask(crew, ref);
    checkBackend(await readRoster(cli, joined.folders), backend);
    const desk = await openDesk(cli, joined);
    try {
      const { record, steps } = await readJournal(bus, id);
      const step = steps.find((each) => each.step === at);
      if (!step) throw new CoxError('unknown-step', `${id} has no step ${at}`, { hint: example });
      const { requestOfStep } = await import('../../actors/sub-agent/rebuild.ts');
      const told = toldIn(record, step);
      const choice = desk && told && (await requestOfStep(desk.options, record, step, told, backend));
      if (!desk || !choice)
        throw new CoxError('bad-step', `The request of step ${at} of ${id} cannot be built here`, {
          hint: 'It is a step of a goal, of code, or of a kind that the roster of this machine does not have.',
        });
      const worstUsd = desk.backends.worstCaseUsd(backend, choice.request);
      const question = `The call to ${backend} is billed, with $${worstUsd?.toPrecision(2)} at most. Make it?`;
      if (worstUsd !== null && !yes && !(await isConfirmed(cli, question, '--yes makes the call without a question.'))) {
        cli.out.note('No call was made.');
        return exitCodes.cancelled;
      }
      for await (const event of desk.backends.call(backend, choice.request, cli.signal)) {
        if (event.type !== 'replied') continue;
        const { text, calls, usage } = event;
        const was = { backend: step.backend, reply: step.reply ?? null, usage: step.usage };
        const found = { task: id, step: at, backend, reply: { text, calls }, usage, was };
        cli.out.answer(found, whatIfLines(found, cli.out.paint.stdout));
      }
      return exitCodes.ok;
    } finally {
      await desk?.close();
    }
  });
};
