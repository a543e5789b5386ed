/** `cox dead` lists the dead letters. `cox dead retry <id>` runs a task again, `cox dead drop` removes its letter, or all. */
import { z } from 'zod';
import type { LetterQuery, Retried } from '../../bus/queue/dead-letters.ts';
import type { Letters } from '../../bus/remote-letters.ts';
import type { Cli, Run } from '../cli.ts';
import { isConfirmed } from '../confirm.ts';
import { findLetter } from '../dead-letter-ref.ts';
import { usageError } from '../errors.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { lettersOf } from '../letters.ts';
import { filterShape, pageShape, queryOf } from '../page-options.ts';
import { parseOptions } from '../parse-options.ts';
import { letterLine, letterLines, retriedLine } from '../render/dead-letters.ts';
import { moreLines } from '../render/more.ts';
import { withCrew } from '../session.ts';

/** Time in ms for a goal to accept that it should run a sub-task again. */
const takenUpMs = 30_000;

/** Letters that are shown before all are dropped. The question says how many there are. */
const shownBeforeDrop = 20;

const Shape = z.object({ all: z.literal(true).optional(), yes: z.literal(true).optional(), ...filterShape, ...pageShape });

export const run: Run = async (cli, [action, ref], options) => {
  const { all, yes = false, ...given } = parseOptions(Shape, options);
  if (action !== undefined && action !== 'retry' && action !== 'drop')
    throw usageError(`There is no "cox dead ${action}".`, 'There are: cox dead, cox dead retry <id>, cox dead drop <id>.');
  if (all && action !== 'drop')
    throw usageError('--all goes with drop.', 'As in: cox dead drop --all. cox dead lists the letters.');
  if (all && ref !== undefined) throw usageError('Either a dead letter or --all.', `As in: cox dead drop ${ref}.`);
  if (action !== undefined && ref === undefined && !all)
    throw usageError('Which dead letter?', `Name one: cox dead ${action} <id>. cox dead lists them.`);
  return withCrew(cli, { start: false }, async ({ crew, bus }) => {
    const letters = await lettersOf(crew);
    const paint = cli.out.paint.stdout;
    if (all) return dropAll(cli, letters, await queryOf(crew, { ...given, limit: given.limit ?? Number.POSITIVE_INFINITY }), yes);
    if (action === undefined) {
      const { rows, next, more } = await letters.page(await queryOf(crew, given));
      const lines = [...letterLines(rows, bus.now(), paint, 'cox dead'), ...moreLines({ next, more }, paint)];
      cli.out.answer({ letters: rows, next, more }, lines);
      return exitCodes.ok;
    }
    const { id } = findLetter(await letters.list(), ref!);
    if (action === 'drop') {
      await letters.drop(id);
      cli.out.answer({ id }, [`${id} is dropped`]);
      return exitCodes.ok;
    }
    const retried = await letters.retry(id, AbortSignal.any([cli.signal, AbortSignal.timeout(takenUpMs)]));
    cli.signal.throwIfAborted();
    cli.out.answer(retried, [retriedLine(retried, paint)]);
    return exitOf(retried);
  });
};

/** Drops the letters that it has shown and counted, and none that came later. */
async function dropAll(cli: Cli, letters: Letters, query: LetterQuery, isAgreed: boolean): Promise<ExitCode> {
  const { rows } = await letters.page(query);
  const count = `${rows.length.toLocaleString('en')} dead ${rows.length === 1 ? 'letter' : 'letters'}`;
  if (rows.length > 0 && !isAgreed) {
    const paint = cli.out.paint.stderr;
    cli.out.note(rows.slice(0, shownBeforeDrop).map((letter) => letterLine(letter, paint)));
    if (rows.length > shownBeforeDrop)
      cli.out.note(paint.dim(`and ${(rows.length - shownBeforeDrop).toLocaleString('en')} more`));
    if (!(await isConfirmed(cli, `Drop ${count}?`, '--yes drops them without a question; cox dead lists them.'))) {
      cli.out.note('Nothing was dropped.');
      return exitCodes.cancelled;
    }
  }
  await letters.dropAll(rows, cli.signal);
  cli.out.answer({ ids: rows.map(({ id }) => id) }, [`${count} dropped`]);
  return exitCodes.ok;
}

function exitOf(retried: Retried): ExitCode {
  if (retried.how === 'dispatched' || retried.as !== null) return exitCodes.ok;
  if (retried.receipt === null) return exitCodes.notDone;
  return retried.receipt.fate === 'returned' ? exitCodes.returned : exitCodes.ok;
}
