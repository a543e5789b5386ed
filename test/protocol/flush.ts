/**
 * Publishes `status` and `result` as projections of a commit, one message per step. Any process that has read a record may flush
 * it.
 */
import { appendResult, appendStatus } from './bus.ts';
import type { Step } from './explore.ts';
import type { Rules } from './rules.ts';
import { type Proc, type Rec, type Status, spend, type World, withProc } from './world.ts';

/** @returns the process before its first publish, or where it goes on if there is nothing to publish. */
export function flushing(world: World, proc: Proc, rec: Rec, onward: string): Proc {
  return skip(world, { ...proc, pc: 'flush', rec, onward, i: 0, at: rec.seq });
}

/** Goes on at once when nothing is left to publish. */
function skip(world: World, proc: Proc): Proc {
  const rec = proc.rec!;
  const isSent = proc.i! >= rec.out.length && (rec.result === null || world.results[proc.id!]!.length > 0);
  if (!isSent) return proc;
  const { i: _, at, onward, ...rest } = proc;
  return { ...rest, pc: onward!, rec: { ...rec, out: [], seq: at! } };
}

export function flushStep(world: World, proc: Proc, rules: Rules): readonly Step<World>[] {
  const id = proc.id!;
  const rec = proc.rec!;
  const label = `${proc.name}: publishes`;
  const heard = (next: World, what: string, after: Proc): readonly Step<World>[] => [
    { label: `${label} ${what}`, to: withProc(next, skip(next, after)) },
    ...(world.spare.replies > 0 ? [{ label: `${label} ${what}, reply lost`, to: spend(next, 'replies') }] : []),
  ];
  const status = rec.out[proc.i!];
  // A result that waits for no status goes along, except where no ticket brings anybody who would send the status later.
  const beside =
    status && !proc.back && rec.result !== null && world.results[id]!.length === 0
      ? heard(appendResult(world, id, rec.result), 'the result beside it', proc)
      : [];
  if (!status) {
    if (world.results[id]!.length > 0) return [{ label: `${label} no result again`, to: withProc(world, skip(world, proc)) }];
    return heard(appendResult(world, id, rec.result!), 'the result', proc);
  }
  const log = world.status[id]!;
  if (!rules.flushExpectsLast || log.length === proc.at!)
    return [
      ...heard(appendStatus(world, id, status), `status ${status.n}`, { ...proc, i: proc.i! + 1, at: log.length + 1 }),
      ...beside,
    ];
  // Statuses of its own that it finds there, in their order, need not be sent.
  const unseen = rules.flushSendsOnlyMissing ? log.slice(Math.min(proc.at!, log.length)) : [];
  const isNext = (i: number, it: Status) => JSON.stringify(rec.out[i]) === JSON.stringify(it);
  const i = unseen.reduce((next, it) => (isNext(next, it) ? next + 1 : next), proc.i!);
  return [
    {
      label: `${label} status ${status.n}: mismatch`,
      to: withProc(world, skip(world, { ...proc, i, at: log.length })),
    },
    ...beside,
  ];
}
