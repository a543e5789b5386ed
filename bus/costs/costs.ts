/** The sums that a query asks for, of the ledger of purged trees and of the trees that still have records. */
import { z } from 'zod';
import type { Bus } from '../bus.ts';
import { type CostLine, type CostRow, Price, type TreeCosts } from '../messages.ts';
import { allRecords } from '../state/all-records.ts';
import { rootOf } from '../task-id.ts';
import { keptCosts } from './cost-stream.ts';
import { added, costsOf, noCost } from './tree-costs.ts';

export const costKeys = ['goal', 'backend', 'kind', 'day'] as const;
type CostKey = (typeof costKeys)[number];

export const CostQuery = z
  .object({
    since: z.iso.datetime().optional().describe('Only what was used on this day (UTC) or later. Default: all that is known.'),
    by: z
      .array(z.enum(costKeys))
      .min(1)
      .max(costKeys.length)
      .default(['backend'])
      .describe('A row for each value of these, for instance for each day and backend.'),
    limit: z.number().int().min(1).max(1_000).default(400).describe('Most rows.'),
    reference: Price.optional().describe('The price to compare with. Default: `pricing.reference` of the roster of the node.'),
  })
  .strict();
export type CostQuery = z.input<typeof CostQuery>;

export interface Costs {
  /** Those of `day` in its order, all others by cost, highest first. */
  readonly rows: readonly CostRow[];
  /** The sum of all rows, also of those beyond `limit`. */
  readonly total: CostRow;
  /** Number of rows beyond `limit`. */
  readonly more: number;
  readonly reference: Price | null;
}

export async function readCosts(bus: Bus, query: CostQuery = {}): Promise<Costs> {
  const wanted = CostQuery.parse(query);
  // The records are read first: a tree that is purged meanwhile is in the ledger then.
  const records = await allRecords(bus, '>');
  const kept = await keptCosts(bus);
  const living = [...Map.groupBy(records, ({ id }) => rootOf(id))].flatMap(([root, of]) =>
    kept.has(root) ? [] : (costsOf(root, of) ?? []),
  );
  return summed([...kept.values(), ...living], wanted);
}

export function summed(trees: readonly TreeCosts[], { since, by, limit, reference }: z.output<typeof CostQuery>): Costs {
  const from = since?.slice(0, 10) ?? '';
  const rows = new Map<string, CostRow>();
  let total: CostRow = noCost;
  for (const { root, goal, lines } of trees)
    for (const line of lines.filter(({ day }) => day >= from)) {
      const names = namesOf(by, root, goal, line);
      const key = JSON.stringify(names);
      rows.set(key, { ...names, ...added(rows.get(key) ?? noCost, line) });
      total = added(total, line);
    }
  const compared = (row: CostRow): CostRow => (reference ? { ...row, ...comparison(row, reference) } : row);
  const ordered = [...rows.values()].sort((a, b) =>
    by[0] === 'day'
      ? (a.day ?? '').localeCompare(b.day ?? '') || b.costUsd - a.costUsd
      : b.costUsd - a.costUsd || tokensOf(b) - tokensOf(a),
  );
  return {
    rows: ordered.slice(0, limit).map(compared),
    total: compared(total),
    more: Math.max(0, ordered.length - limit),
    reference: reference ?? null,
  };
}

const tokensOf = ({ inputTokens, outputTokens }: CostRow): number => inputTokens + outputTokens;

function namesOf(by: readonly CostKey[], root: string, goal: string, { day, backend, kind }: CostLine) {
  const has = (key: CostKey) => by.includes(key);
  return {
    ...(has('day') && { day }),
    ...(has('goal') && { root, goal }),
    ...(has('backend') && { backend }),
    ...(has('kind') && { kind }),
  };
}

/** The same tokens at the price of the reference. It is an estimate: another model would have used other tokens. */
function comparison({ inputTokens, outputTokens, costUsd }: CostRow, { input, output }: Price) {
  const referenceUsd = (inputTokens * input + outputTokens * output) / 1e6;
  return { referenceUsd, savedUsd: referenceUsd - costUsd };
}
