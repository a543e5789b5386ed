/** `cox dead` lists the dead letters. `cox dead retry <id>` runs a task again, `cox dead drop <id>` removes its letter. */
import type { Retried } from '../../bus/queue/dead-letters.ts';
import type { Run } from '../cli.ts';
import { findLetter } from '../dead-letter-ref.ts';
import { usageError } from '../errors.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { letterLines, retriedLine } from '../render/dead-letters.ts';
import { withCrew } from '../session.ts';

/** Time in ms for a goal to accept that it should run a sub-task again. */
const takenUpMs = 30_000;

export const run: Run = async (cli, [action, ref]) => {
  if (action !== undefined && action !== 'retry' && action !== 'drop')
    throw usageError(`There is no "cox dead ${action}".`, 'There are: cox dead, cox dead retry <id>, cox dead drop <id>.');
  if (action !== undefined && ref === undefined)
    throw usageError('Which dead letter?', `Name one: cox dead ${action} <id>. cox dead lists them.`);
  return withCrew(cli, { start: false }, async ({ crew, bus }) => {
    const { DeadLetters } = await import('../../bus/queue/dead-letters.ts');
    const letters = new DeadLetters(crew);
    const paint = cli.out.paint.stdout;
    const all = await letters.list();
    if (action === undefined) {
      cli.out.answer({ letters: all }, letterLines(all, bus.now(), paint, 'cox dead').join('\n'));
      return exitCodes.ok;
    }
    const { id } = findLetter(all, ref!);
    if (action === 'drop') {
      await letters.drop(id);
      cli.out.answer({ id }, `${id} is dropped`);
      return exitCodes.ok;
    }
    const retried = await letters.retry(id, AbortSignal.any([cli.signal, AbortSignal.timeout(takenUpMs)]));
    cli.signal.throwIfAborted();
    cli.out.answer(retried, retriedLine(retried, paint));
    return exitOf(retried);
  });
};

function exitOf(retried: Retried): ExitCode {
  if (retried.how === 'dispatched' || retried.as !== null) return exitCodes.ok;
  if (retried.receipt === null) return exitCodes.notDone;
  return retried.receipt.fate === 'returned' ? exitCodes.returned : exitCodes.ok;
}
