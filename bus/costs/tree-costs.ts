/**
 * The costs of a tree by day, backend and kind, from the records of its tasks. The usage of a supervisor includes that of its
 * sub-tasks, so its own is the rest. The usage of a task counts on the day (UTC) of its last commit.
 */
import { beginningOf } from '../../platform/cut.ts';
import type { CostLine, TreeCosts, Usage } from '../messages.ts';
import type { StateRecord } from '../state/state-record.ts';
import { parentOf } from '../task-id.ts';

type ByBackend = Readonly<Record<string, Usage>>;
type Costed = Pick<StateRecord, 'id' | 'spec' | 'last' | 'result' | 'createdAt' | 'instruction' | 'archived'>;

/** Longest instruction that is kept of a goal, in characters. */
const maxGoalChars = 200;
/** Less than this (US dollars) is an error of floating point. */
const leastUsd = 1e-9;

/**
 * @param records of the tree; those of a live tree tell what they have used so far.
 * @returns null if nothing was used; an imported tree has used nothing here.
 */
export function costsOf(root: string, records: readonly Costed[]): TreeCosts | null {
  if (records.some(({ archived }) => archived !== undefined)) return null;
  const used = new Map(records.map((record) => [record.id, usedBy(record)]));
  const own = new Map<string, ByBackend>(used);
  const isLive = new Map(records.map(({ id, result }) => [id, !result]));
  for (const [id, usage] of used) {
    const parent = parentOf(id);
    const above = parent === null ? undefined : own.get(parent);
    if (parent === null || !above) continue;
    if (!isLive.get(parent)) own.set(parent, without(above, usage));
    // A live supervisor was told of the sub-tasks that have ended, and its usage is under one backend, whatever theirs were.
    else if (!isLive.get(id)) own.set(parent, without(above, underEach(above, usage)));
  }
  const lines = new Map<string, CostLine>();
  for (const { id, spec, last, createdAt } of records) {
    const day = (last?.at ?? createdAt).slice(0, 10);
    for (const [backend, usage] of Object.entries(own.get(id) ?? {})) {
      if (usage.inputTokens + usage.outputTokens === 0 && usage.costUsd < leastUsd) continue;
      const key = JSON.stringify([day, backend, spec.type]);
      const before = lines.get(key);
      lines.set(key, { day, backend, kind: spec.type, ...(before ? added(before, usage) : added(noCost, usage)) });
    }
  }
  if (lines.size === 0) return null;
  const goal = records.find(({ id }) => id === `${root}.0`)?.instruction ?? '';
  return { root, goal: beginningOf(goal, maxGoalChars), lines: [...lines.values()] };
}

/** The log of a running task tells its backend only of the present step, so what it has used so far counts there. */
function usedBy({ result, last }: Costed): ByBackend {
  if (result) return result.usageByBackend;
  return last ? { [last.backend ?? 'unknown']: last.usage } : {};
}

type Amount = Pick<CostLine, 'inputTokens' | 'outputTokens' | 'costUsd' | 'estimatedUsd'>;
export const noCost: Amount = { inputTokens: 0, outputTokens: 0, costUsd: 0 };

export function added(a: Amount, b: Amount): Amount {
  const estimatedUsd = (a.estimatedUsd ?? 0) + (b.estimatedUsd ?? 0);
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    costUsd: a.costUsd + b.costUsd,
    ...(estimatedUsd > 0 && { estimatedUsd }),
  };
}

/** All of a usage, under each backend of another one. */
const underEach = (of: ByBackend, usage: ByBackend): ByBackend => {
  const all = Object.values(usage).reduce<Usage>(added, noCost);
  return Object.fromEntries(Object.keys(of).map((backend) => [backend, all]));
};

/** A supervisor that was cut off has not been told of all of its sub-tasks: nothing goes below zero. */
function without(all: ByBackend, part: ByBackend): ByBackend {
  const less = (a: number, b: number) => Math.max(0, a - b);
  return Object.fromEntries(
    Object.entries(all).map(([backend, usage]) => {
      const gone = part[backend];
      if (!gone) return [backend, usage];
      const estimatedUsd = less(usage.estimatedUsd ?? 0, gone.estimatedUsd ?? 0);
      return [
        backend,
        {
          inputTokens: less(usage.inputTokens, gone.inputTokens),
          outputTokens: less(usage.outputTokens, gone.outputTokens),
          costUsd: less(usage.costUsd, gone.costUsd),
          ...(estimatedUsd >= leastUsd && { estimatedUsd }),
        },
      ];
    }),
  );
}
