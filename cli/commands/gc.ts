/** `cox gc`: purges finished task trees by the roster's `retention` or by `--older-than`. Nodes do the same from time to time. */
import { z } from 'zod';
import type { PurgedTree } from '../../bus/capacity/retention.ts';
import type { Run } from '../cli.ts';
import { exitCodes } from '../exit-codes.ts';
import { parseOptions } from '../parse-options.ts';
import { oneLine } from '../render/printable.ts';
import { timeAndAge } from '../render/times.ts';
import { readRoster } from '../roster.ts';
import { withCrew } from '../session.ts';

/** Most trees that are listed, so that the summary stays on the screen. `--json` lists all. */
const mostShown = 20;

export const run: Run = async (cli, _args, options) => {
  const [{ collect }, { Duration }, { sizeOf }, { foldersOf }] = await Promise.all([
    import('../../bus/capacity/retention.ts'),
    import('../../roster/quantity.ts'),
    import('../../platform/progress.ts'),
    import('../../platform/folders.ts'),
  ]);
  const Shape = z.object({ olderThan: Duration.optional(), dryRun: z.literal(true).optional() });
  const { olderThan, dryRun = false } = parseOptions(Shape, options);
  const { retention } = (await readRoster(cli, foldersOf(cli.env))).roster;
  const keep = { finishedAfterMs: olderThan ?? retention.finishedAfterMs, finishedBytes: retention.finishedBytes };
  // A server is started if none runs, because a full bus may need a purge before it can do any other work.
  return withCrew(cli, { start: true }, async ({ bus }) => {
    const { purged, strays, keptBytes } = await collect(bus, { keep, dryRun, signal: cli.signal });
    const bytes = purged.reduce((sum, tree) => sum + tree.bytes, 0);
    const paint = cli.out.paint.stdout;
    const line = ({ root, tasks, finishedAt, instruction }: PurgedTree) =>
      `${paint.bold(root)}  ${tasks === 1 ? '1 record' : `${tasks} records`}, ended ${timeAndAge(finishedAt, bus.now())} ${paint.dim(`“${oneLine(instruction ?? 'leftovers', 50)}”`)}`;
    const verb = dryRun ? 'Would purge' : 'Purged';
    const said = [
      ...purged.slice(0, mostShown).map(line),
      ...(purged.length > mostShown ? [paint.dim(`and ${purged.length - mostShown} more`)] : []),
      purged.length + strays === 0
        ? 'Nothing to purge.'
        : `${verb} ${purged.length} finished ${purged.length === 1 ? 'tree' : 'trees'}, about ${sizeOf(bytes)}${strays > 0 ? `, and ${strays} stray messages` : ''}.`,
    ];
    cli.out.answer({ dryRun, purged, strays, bytes, keptBytes }, said);
    return exitCodes.ok;
  });
};
