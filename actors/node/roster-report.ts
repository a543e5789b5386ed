/** The answer of a node to the verb `roster`, and what `cox roster show` prints. */
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { RosterReport } from '../../bus/roster-report.ts';
import { type MenuEntry, needsOptIn } from '../../roster/menu.ts';
import { rosterHash } from '../../roster/roster-hash.ts';
import type { Roster } from '../../roster/schema.ts';

export interface ReportedRoster {
  readonly node: string;
  /** Path of the roster file; null: the shipped roster, or none. */
  readonly file: string | null;
  readonly roster: Roster;
  readonly menu: readonly MenuEntry[];
}

export async function rosterReport({ node, file, roster, menu }: ReportedRoster): Promise<RosterReport> {
  const { budgets, supervision, routing, reducer, coordinator } = roster;
  const { concurrency, maxTasks, maxDepth, onFailure } = supervision;
  return {
    node,
    host: hostname(),
    file,
    hash: file === null ? null : await readFile(file).then(rosterHash, () => null),
    backends: menu.map(({ pictures: _, learnt = [], goodAt, ...entry }) => {
      const backend = roster.backends[entry.name]!;
      return {
        ...entry,
        goodAt: [...goodAt],
        optIn: backend.optIn,
        on: !needsOptIn(backend),
        canDelegate: backend.canDelegate,
        learnt: learnt.map(({ what }) => what),
      };
    }),
    budgets,
    supervision: { concurrency, maxTasks, maxDepth, onFailure },
    routing: { tiers: [...routing.tiers], rotate: routing.rotate },
    reducer,
    coordinator,
  };
}
