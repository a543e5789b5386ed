/** `cox fork`: a new task that goes on from a step of another one, on another backend or with a further correction. */
import { resolve } from 'node:path';
import { z } from 'zod';
import { RemoteCrew } from '../../bus/remote-crew.ts';
import type { Run } from '../cli.ts';
import { usageError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { filesOfStep, writeFilesOfStep } from '../fork-files.ts';
import { checkBackend } from '../known-names.ts';
import { count, parseOptions } from '../parse-options.ts';
import { fileLines, writtenLines } from '../render/fork.ts';
import { readRoster } from '../roster.ts';
import { findTask, withCrew } from '../session.ts';
import { someoneWorks } from '../working-nodes.ts';

const Shape = z.object({
  at: count(1, 1_000_000),
  backend: z.string().optional(),
  with: z.string().min(1, 'expected words for the task').optional(),
  files: z.string().min(1, 'expected a folder').optional(),
});

export const run: Run = async (cli, [ref = ''], options) => {
  if (options.at === undefined)
    throw usageError('From which step?', 'As in: cox fork k3xq.4 --at 3. "cox replay k3xq.4" shows the steps.');
  const { at: step, backend, with: said, files: named } = parseOptions(Shape, options);
  return withCrew(cli, { start: 'if stored' }, async (joined) => {
    const { crew } = joined;
    const id = await findTask(crew, ref);
    if (backend !== undefined) checkBackend(await readRoster(cli, joined.folders), backend);
    const isRemote = crew instanceof RemoteCrew;
    if (isRemote && named !== undefined)
      throw usageError(
        'The files of a task are on the machine of its node.',
        'Fork it there with --files, or without.',
        'role-denied',
      );
    const folder = named === undefined ? undefined : resolve(cli.cwd, named);
    // The step is checked before a folder is made.
    await crew.journal({ task: id, from: step, limit: 1, prompts: 'none' });
    const files = isRemote ? null : await filesOfStep(crew, id, step);
    const written = files && folder !== undefined ? await writeFilesOfStep(crew, files, folder) : null;
    const fork = await crew.fork(id, { step, backend, with: said, workspace: folder });
    const { type } = (await crew.status(fork))!;
    const paint = cli.out.paint.stderr;
    if (written) cli.out.note(writtenLines(written, folder!, paint));
    else if (files) cli.out.note(fileLines(files, step, paint));
    cli.out.answer({ id: fork, forkOf: { id, step }, files: files?.files ?? null, ...written }, [fork]);
    if (!(await someoneWorks(joined, type)))
      cli.out.note(`No node is up that works on ${type}: ${fork} waits until one starts (cox, cox up or cox worker).`);
    cli.out.note(`cox compare ${id} ${fork} shows both side by side.`);
    return exitCodes.ok;
  });
};
