/** Says in words what a command has changed, for its final receipt. */
import type { PlanRow } from '../../bus/messages.ts';
import type { Steer } from '../../machines/steering-ledger.ts';

/** Most sub-tasks that are named. */
const mostNamed = 6;

/**
 * @param plan the plan of the goal as the same commit writes it.
 * @returns undefined for a command whose receipt says enough without it.
 */
export function changeMade({ kind, text, step = 0 }: Steer, plan: () => readonly PlanRow[]): string | undefined {
  if (kind === 'swap') return `${text} answers from step ${step + 1} on, if it comes to that`;
  if (kind === 'redirect') return keptBy(plan());
  if (kind !== 'plan') return undefined;
  const [verb, key, ...how] = text.split(' ');
  const rows = plan();
  const row = rows.find((each) => each.key === key);
  if (!row) return undefined;
  if (verb === 'drop') return `${row.key}${row.id === null ? '' : ` (${row.id})`} is dropped`;
  const again = verb === 'rerun' ? [' runs again', ...how].join(' ') : '';
  return `${row.key}${again}${startOf(row, rows, again !== '')}${again === '' ? '' : thenAgain(row, rows)}`;
}

/** A redirect of a goal keeps the sub-tasks that have returned; the others are planned anew. A task without a plan keeps none. */
const keptBy = (rows: readonly PlanRow[]): string | undefined => {
  const kept = rows.filter(({ status }) => status === 'returned');
  return kept.length > 0 ? `the results of ${named(kept)} are kept, and the rest is planned anew` : undefined;
};

/** A node that runs has been dispatched by this commit or before it. A waiting one may still have the id of its last attempt. */
function startOf({ status, id, after }: PlanRow, rows: readonly PlanRow[], isAgain: boolean): string {
  if (status === 'running') return isAgain ? ` as ${id}` : ` is ${id}`;
  const open = rows.filter(({ key, status: its }) => after.includes(key) && (its === 'waiting' || its === 'running'));
  const when = open.length > 0 ? `after ${named(open)}` : 'when a place is free';
  return isAgain ? ` ${when}` : ` is added, and starts ${when}`;
}

/** The sub-tasks that depend on the one that runs again, and run again after it. */
function thenAgain({ key }: PlanRow, rows: readonly PlanRow[]): string {
  const found = new Set([key]);
  for (let size = 0; size !== found.size; ) {
    size = found.size;
    for (const row of rows) if (row.status === 'waiting' && row.after.some((other) => found.has(other))) found.add(row.key);
  }
  const rest = rows.filter((row) => row.key !== key && found.has(row.key));
  return rest.length > 0 ? `, then ${named(rest)}` : '';
}

const named = (rows: readonly PlanRow[]): string =>
  rows
    .slice(0, mostNamed)
    .map(({ key }) => key)
    .join(', ') + (rows.length > mostNamed ? ` and ${rows.length - mostNamed} more` : '');
