/** `cox costs`: what was spent, by goal, backend, kind or day, also by tasks that were purged. */
import { z } from 'zod';
import { costKeys } from '../../bus/costs/costs.ts';
import { foldersOf } from '../../platform/folders.ts';
import { referencePrice } from '../../roster/price.ts';
import { Duration } from '../../roster/quantity.ts';
import type { Run } from '../cli.ts';
import { exitCodes } from '../exit-codes.ts';
import { count, parseOptions } from '../parse-options.ts';
import { costLines } from '../render/costs.ts';
import { readRoster } from '../roster.ts';
import { withCrew } from '../session.ts';

const Key = z.enum(costKeys, `expected ${costKeys.join(', ')}, or several separated by commas`);
const By = z
  .string()
  .transform((text) => text.split(',').map((word) => word.trim()))
  .pipe(z.array(Key).min(1).max(costKeys.length));
const Shape = z.object({
  since: Duration.optional(),
  by: By.default(['backend']),
  limit: count(1, 1_000).default(100),
});

export const run: Run = async (cli, _args, options) => {
  const { since, by, limit } = parseOptions(Shape, options);
  const { roster } = await readRoster(cli, foldersOf(cli.env));
  const reference = referencePrice(roster);
  return withCrew(cli, { start: 'if stored' }, async ({ crew }) => {
    const now = crew.bus.now().getTime();
    const costs = await crew.costs({
      ...{ by, limit },
      ...(since !== undefined && { since: new Date(Math.max(0, now - since)).toISOString() }),
      ...(reference && { reference }),
    });
    cli.out.answer(costs, costLines(costs, cli.out.paint.stdout));
    return exitCodes.ok;
  });
};
