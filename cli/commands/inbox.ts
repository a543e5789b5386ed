/** `cox inbox`: lists the open questions of all tasks with numbers that `cox answer` takes. */
import { messageOf } from '../../platform/errors.ts';
import { foldersOf } from '../../platform/folders.ts';
import type { Run } from '../cli.ts';
import { exitCodes } from '../exit-codes.ts';
import { numbered, shownOf } from '../inbox.ts';
import { inboxLines } from '../render/inbox.ts';
import { withCrew } from '../session.ts';
import { remember } from '../shown-inbox.ts';

export const run: Run = async (cli) =>
  withCrew(cli, { start: 'if stored' }, async ({ crew, bus }) => {
    const list = numbered(await crew.questions());
    try {
      remember(foldersOf(cli.env), shownOf(list));
    } catch (error) {
      // The list can still be read, and its questions can be answered by task and id.
      cli.out.note(`The numbers cannot be used in this shell: ${messageOf(error)}`);
    }
    const words = { now: bus.now(), answerWith: 'cox answer', showWith: 'cox status' };
    cli.out.answer({ questions: list }, inboxLines(list, cli.out.paint.stdout, words).join('\n'));
    return exitCodes.ok;
  });
