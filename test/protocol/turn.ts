/** The reaction of a task to what it has read: its next record, and the move of its host after that commit. */
import type { Rules } from './rules.ts';
import type { Id, Rec, Task } from './world.ts';

export interface Turn {
  readonly next: Rec;
  readonly move: 'loop' | 'call' | 'park' | 'end' | 'wait';
  /** The operator allowed a second run of the call in doubt. */
  readonly again: boolean;
}

export interface Read {
  readonly steers: readonly string[];
  readonly returned: readonly Id[];
  /** Children whose records say that they failed. */
  readonly failed: readonly Id[];
  readonly restored: boolean;
  /** The call in flight has returned. */
  readonly callReturned: boolean;
  readonly deadlinePassed: boolean;
}

/** A record with one more status. `final` lists steers that get their final receipt. */
export function withStatus(rec: Rec, accepted: readonly string[], final: readonly string[]): Rec {
  const receipts = [...accepted.map((steer) => `a:${steer}`), ...final.map((steer) => `f:${steer}`)];
  const status = { n: rec.n + 1, receipts, asks: rec.asks && rec.phase === 'parked' };
  return { ...rec, n: status.n, out: [...rec.out, status] };
}

/** The ids of returned steers that a record keeps; 1,000 in the real one. */
export const remembered = ({ known }: Rec, more: readonly string[], rules: Rules): readonly string[] =>
  [...known, ...more].slice(rules.remembersLast ? -2 : -1);

/** Steers that were not taken before, each once; all of them without the rule. */
export function fresh(steers: readonly string[], known: readonly string[], drops: boolean): readonly string[] {
  return drops ? [...new Set(steers)].filter((steer) => !known.includes(steer)) : steers;
}

/** One commit with the result and a final receipt for every steer without one. */
export function ended(rec: Rec, result: string, read: Pick<Read, 'steers'>, rules: Rules): Rec {
  const taken = fresh(read.steers, [...rec.seen, ...rec.known], rules.lateDropsKnown);
  const final = [...(rules.finalsAtTheEnd ? rec.inbox : []), ...taken];
  const next: Rec = { ...rec, phase: 'done', result, asks: false, inbox: [], known: remembered(rec, taken, rules) };
  return withStatus({ ...next, steeringCursor: rec.steeringCursor + read.steers.length }, [], final);
}

export function turn(task: Task, rec: Rec, read: Read, rules: Rules): Turn {
  const taken = fresh(read.steers, [...rec.seen, ...rec.known], rules.dropsKnownSteers);
  const is = (kind: RegExp) => taken.filter((steer) => kind.test(steer));
  const corrections = is(/^s/);
  const base: Rec = {
    ...rec,
    seen: [...rec.seen, ...is(/^[^x]/)],
    known: remembered(rec, is(/^x/), rules),
    inbox: [...rec.inbox, ...corrections],
    steeringCursor: rec.steeringCursor + read.steers.length,
    resultCursor: rec.resultCursor + read.returned.length,
    home: [...rec.home, ...read.returned].sort(),
  };
  const commands = is(/^[^s]/);
  const goesOn = (patch: Partial<Rec>, move: Turn['move'], again = false): Turn => {
    const phase = move === 'park' ? 'parked' : 'held';
    const next: Rec = { ...base, ...patch, phase };
    const gained = next.stage !== rec.stage || corrections.length + read.returned.length > 0;
    const idle = gained ? 0 : phase === 'parked' && rules.parkingIsNoDeath ? Math.max(0, rec.idle - 1) : rec.idle;
    return { next: withStatus({ ...next, idle }, corrections, commands), move, again };
  };
  const ends = (result: string): Turn => {
    const final = rules.finalsAtTheEnd ? base.inbox : [];
    const next: Rec = { ...base, phase: 'done', result, asks: false, inbox: [] };
    return { next: withStatus(next, corrections, [...final, ...commands]), move: 'end', again: false };
  };
  return task.kind === 'supervisor'
    ? supervise(base, commands, read, rules, goesOn, ends)
    : work(task, base, commands, read, rules, goesOn, ends);
}

type GoesOn = (patch: Partial<Rec>, move: Turn['move'], again?: boolean) => Turn;
type Ends = (result: string) => Turn;

function work(task: Task, rec: Rec, commands: readonly string[], read: Read, rules: Rules, goesOn: GoesOn, ends: Ends): Turn {
  if (commands.includes('cancel')) return ends('cancelled');
  if (task.deadline && read.deadlinePassed) return ends('failed');
  if (rec.stage === 'new') {
    if (task.quick) return ends(task.fails ? 'failed' : 'completed');
    if (task.writes && !read.callReturned) return goesOn({ stage: 'calling', flight: rec.epoch }, 'call');
    return goesOn({ stage: task.writes ? 'called' : 'working' }, 'loop');
  }
  if (rec.stage === 'calling' && !read.callReturned) {
    // A host that lost the end of the call cannot tell whether it ran.
    if (commands.includes('ran')) return goesOn({ stage: 'called', asks: false }, 'loop');
    const starts = { asks: false, flight: rec.epoch };
    if (commands.some((command) => command.startsWith('again'))) return goesOn(starts, 'call', true);
    const told = commands.find((command) => /^(done|none):/.test(command) && isOf(rec, command, rules));
    if (told?.startsWith('done')) return goesOn({ stage: 'called', asks: false }, 'loop');
    // The call did not run, so it is made now.
    if (told) return goesOn(starts, 'call');
    return read.restored && rules.doubtAsks ? goesOn({ asks: true }, 'park') : goesOn(starts, 'call');
  }
  if (rec.stage === 'calling') return goesOn({ stage: 'called' }, 'loop');
  if (task.endless) return goesOn({}, 'wait');
  // Any correction so far helps the task on.
  if (task.asks && rec.seen.every((steer) => !steer.startsWith('s'))) return goesOn({}, 'park');
  return ends(task.fails ? 'failed' : 'completed');
}

const isOf = ({ flight }: Rec, outcome: string, rules: Rules) => !rules.outcomeOfItsRun || outcome.endsWith(`:${flight}`);

/** Runs one child at a time. A failed child is tried once more, as a new child. */
function supervise(rec: Rec, commands: readonly string[], read: Read, rules: Rules, goesOn: GoesOn, ends: Ends): Turn {
  if (rec.stage === 'new' && commands.includes('cancel')) return ends('cancelled');
  if (rec.stage === 'new') return goesOn({ stage: 'collecting', kids: 1, attempt: 1 }, 'loop');
  const isHome = rec.home.includes(rec.kids);
  if (commands.includes('cancel') && rec.stage !== 'ending') return goesOn({ stage: 'ending' }, 'loop');
  if (rec.stage === 'dropping') return isHome ? ends('completed') : goesOn({}, 'park');
  if (rec.stage === 'ending') return isHome || !rules.cancelWaits ? ends('cancelled') : goesOn({}, 'park');
  if (commands.includes('drop') && !isHome) return goesOn({ stage: 'dropping' }, 'loop');
  if (!isHome) return goesOn({}, 'park');
  if (rec.attempt > 1 || !read.failed.includes(rec.kids)) return ends('completed');
  if (rules.attemptIsNewTask) return goesOn({ kids: rec.kids + 1, attempt: 2 }, 'loop');
  return goesOn({ home: [], attempt: 2 }, 'loop');
}
