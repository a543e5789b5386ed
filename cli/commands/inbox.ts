/** `cox inbox`: lists the open questions of all tasks with numbers that `cox answer` takes. */
import { z } from 'zod';
import { messageOf } from '../../platform/errors.ts';
import { foldersOf } from '../../platform/folders.ts';
import type { Run } from '../cli.ts';
import { exitCodes } from '../exit-codes.ts';
import { numbered, shownOf } from '../inbox.ts';
import { pageShape, queryOf } from '../page-options.ts';
import { parseOptions } from '../parse-options.ts';
import { inboxLines } from '../render/inbox.ts';
import { moreLines } from '../render/more.ts';
import { withCrew } from '../session.ts';
import { remember } from '../shown-inbox.ts';

const Shape = z.object(pageShape);

export const run: Run = async (cli, _args, options) =>
  withCrew(cli, { start: 'if stored' }, async ({ crew, bus }) => {
    const { rows, next, more } = await crew.questionPage(await queryOf(crew, parseOptions(Shape, options)));
    const list = numbered(rows);
    try {
      remember(foldersOf(cli.env), shownOf(list));
    } catch (error) {
      // The list can still be read, and its questions can be answered by task and id.
      cli.out.note(`The numbers cannot be used in this shell: ${messageOf(error)}`);
    }
    const words = { now: bus.now(), answerWith: 'cox answer', showWith: 'cox status' };
    const paint = cli.out.paint.stdout;
    cli.out.answer({ questions: list, next, more }, [...inboxLines(list, paint, words), ...moreLines({ next, more }, paint)]);
    return exitCodes.ok;
  });
