/** `status` and `result` as projections of a commit, one publish a step; whoever has read a record may flush it. */
import { appendResult, appendStatus } from './bus.ts';
import type { Step } from './explore.ts';
import type { Rules } from './rules.ts';
import { type Proc, type Rec, spend, type World, withProc } from './world.ts';

/** @returns the process as it is before its first publish, or as it goes on where there is nothing to do. */
export function flushing(world: World, proc: Proc, rec: Rec, onward: string): Proc {
  return skip(world, { ...proc, pc: 'flush', rec, onward, i: 0, at: rec.seq });
}

/** Without anything left to send, it goes on at once. */
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
  // The only status of a task has none before it to wait for: its result goes along.
  const beside =
    status && rec.n === 1 && rec.result !== null && world.results[id]!.length === 0
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
  const last = log.at(-1);
  const there = rec.out.findIndex((it) =>
    rules.flushSendsOnlyMissing ? it.n > (last?.n ?? 0) : JSON.stringify(it) === JSON.stringify(last),
  );
  const i = rules.flushSendsOnlyMissing ? (there === -1 ? rec.out.length : there) : Math.max(proc.i!, there + 1);
  return [
    {
      label: `${label} status ${status.n}: mismatch`,
      to: withProc(world, skip(world, { ...proc, i: Math.max(i, proc.i!), at: log.length })),
    },
    ...beside,
  ];
}
