/** `cox result`: the one final output of a task. */
import type { Result } from '../../bus/messages.ts';
import type { Run } from '../cli.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { salvageText } from '../render/result.ts';
import { findTask, withCrew } from '../session.ts';

export const run: Run = async (cli, [ref = ''], options) =>
  withCrew(cli, { start: false }, async (joined) => {
    const id = await findTask(joined.crew, ref);
    const result = options.wait === false ? await joined.crew.peekResult(id) : await joined.crew.result(id, cli.signal);
    cli.signal.throwIfAborted();
    if (!result) {
      const status = await joined.crew.status(id);
      cli.out.answer({ id, outcome: null, output: null, state: status?.state ?? 'idle' }, '');
      cli.out.note(`${id} has no result yet: it is ${status?.state ?? 'waiting for a worker'}.`);
      return exitCodes.notDone;
    }
    cli.out.answer(result, result.output ?? '');
    if (!cli.global.json && result.outcome !== 'completed') cli.out.note(salvageText(result, cli.out.paint.stderr));
    return exitOf(result);
  });

export const exitOf = ({ outcome }: Pick<Result, 'outcome'>): ExitCode =>
  outcome === 'completed' ? exitCodes.ok : outcome === 'failed' ? exitCodes.failed : exitCodes.cancelled;
