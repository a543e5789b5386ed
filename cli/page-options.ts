/** The options of every command that lists: which rows, how many, and from where on. The registry has them for `--help`. */
import { z } from 'zod';
import type { Crew } from '../bus/crew.ts';
import { maxPageRows } from '../bus/page.ts';
import { rootOf } from '../bus/task-id.ts';
import { Duration } from '../roster/quantity.ts';
import { count } from './parse-options.ts';
import { findTask } from './session.ts';

/** Rows that are listed unless `--limit` says otherwise. */
export const listedRows = 100;

/** For the zod schema of a command. */
export const pageShape = {
  limit: count(1, maxPageRows).optional(),
  after: z.string().min(1, 'expected what the list before has named').optional(),
  root: z.string().optional(),
};
export const filterShape = { type: z.string().optional(), since: Duration.optional() };

interface Given {
  readonly limit?: number | undefined;
  readonly after?: string | undefined;
  readonly root?: string | undefined;
  readonly type?: string | undefined;
  /** Milliseconds. */
  readonly since?: number | undefined;
}

/** The query that the options mean. @throws CoxError `unknown-task`, `ambiguous-task`, `usage` for `--root`. */
export async function queryOf(crew: Crew, { limit = listedRows, after, root, type, since }: Given) {
  return {
    limit,
    ...(after !== undefined && { after }),
    ...(root !== undefined && { root: rootOf(await findTask(crew, root)) }),
    ...(type !== undefined && { type }),
    ...(since !== undefined && { since: new Date(Math.max(0, crew.bus.now().getTime() - since)).toISOString() }),
  };
}
