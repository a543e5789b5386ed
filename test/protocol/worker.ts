/** A worker with one slot: it claims a ticket, hosts the task, commits the decisions of the task and publishes them. */
import { ack, appendResult, publishTicket, say, write } from './bus.ts';
import { claimStep, fenced, isOrphaned, takes } from './claiming.ts';
import type { Step } from './explore.ts';
import { flushing, flushStep } from './flush.ts';
import type { Rules } from './rules.ts';
import { takingBack } from './taking-back.ts';
import { ended, type Read, turn, withStatus } from './turn.ts';
import { breaks, idle, type Proc, put, type Rec, type Scene, spend, type World, withProc } from './world.ts';

export function workerSteps(
  world: World,
  proc: Proc,
  kind: Scene['workers'][number],
  scene: Scene,
  rules: Rules,
): readonly Step<World>[] {
  const id = proc.id!;
  const task = scene.tasks[id]!;
  const go = (label: string, next: Proc, to = world): Step<World> => ({
    label: `${proc.name}: ${label}`,
    to: withProc(to, next),
  });
  switch (proc.pc) {
    case 'idle':
      return takes(world, proc, kind, rules);
    case 'flush':
      return flushStep(world, proc, rules);

    case 'read': {
      const orphan = proc.orphan && world.kv[id]?.epoch === proc.rec!.epoch;
      const to = orphan ? breaks(world, 'nothing runs that was claimed after its parent had ended') : world;
      return [go('reads what is new', reading(world, proc), to)];
    }
    case 'loop':
      return [
        ...(hasNews(world, proc) ? [go('is nudged', reading(world, proc))] : []),
        ...decide(world, proc, scene, rules),
        ...drain(world, proc, rules),
      ];
    case 'commit':
      return commit(world, proc, proc.next!, proc.onward!, rules);

    // After the commit and its flush: dispatches and stops the children of the record.
    case 'reconcile': {
      const rec = proc.rec!;
      const isUntold = rec.attempt > (proc.dispatched ?? 0) && !rec.home.includes(rec.kids);
      if (isUntold && rec.stage === 'dropping') {
        const next = { ...proc, dispatched: rec.attempt };
        if (!rules.takesBack) return [go('starts none', next)];
        return [go(`turns to ${rec.kids}`, takesBack(next, rec.kids, 'cancelled'))];
      }
      if (isUntold) {
        const skips = proc.restored && proc.dispatched === undefined && !rules.dispatchAgain;
        const next = { ...proc, dispatched: rec.attempt };
        if (skips) return [go('dispatches nothing again', next)];
        if (scene.tasks[rec.kids]!.refused)
          return [go(`cannot dispatch ${rec.kids}`, rules.refusedEnds ? takesBack(next, rec.kids, 'failed') : next)];
        return publishTicket(world, rec.kids, 1, false).map((to, i) => go(`dispatches ${rec.kids}${twice(i)}`, next, to));
      }
      if (['ending', 'dropping'].includes(rec.stage) && !proc.told && !rec.home.includes(rec.kids)) {
        const next = { ...proc, told: true };
        if (proc.restored && !rules.tellAgain) return [go('tells nobody again', next)];
        const kid = world.kv[rec.kids];
        const hasBegun = kid && (kid.epoch > 0 || kid.phase === 'done');
        if (rules.takesBack && rules.cancelTakesBack && !hasBegun)
          return takingBack(world, takesBack(proc, rec.kids, 'cancelled'), rules);
        return [go(`tells ${rec.kids} to stop`, next, say(world, rec.kids, 'cancel'))];
      }
      const { after, ...rest } = proc;
      return workerSteps(world, { ...rest, pc: after! }, kind, scene, rules);
    }

    case 'call':
      return rules.epochReread && world.kv[id]?.epoch !== proc.rec!.epoch
        ? [{ label: `${proc.name}: finds another epoch`, to: fenced(tell(world, proc, 'none', rules), proc, rules) }]
        : [go('still holds it', { ...proc, pc: 'start' })];
    case 'start': {
      const started = { ...world, mayStart: put(world.mayStart, id, false) };
      const to = world.mayStart[id] ? started : breaks(started, 'no effect is started twice unasked');
      return [go('starts the call', { ...proc, pc: 'called' }, to)];
    }
    case 'called': {
      const returned = { ...proc, returned: true };
      return [go('has the outcome of the call', flushing(world, returned, proc.rec!, 'loop'))];
    }
    case 'wait':
      return [...(hasNews(world, proc) ? [go('is nudged', reading(world, proc))] : []), ...drain(world, proc, rules)];

    case 'park':
    case 'parked-again': {
      const sets = task.deadline && (proc.pc === 'park' || rules.timerAgain);
      const next = { ...proc, pc: rules.looksBeforeAck ? 'look' : 'ack' };
      if (!sets) return workerSteps(world, next, kind, scene, rules);
      const timer = world.deadlinePassed ? 'due' : 'set';
      return [go('sets the timer', next, { ...world, timers: put(world.timers, id, timer) })];
    }
    case 'look': {
      const unread = world.said[id]!.length > proc.rec!.steeringCursor;
      return [go('looks once more', { ...proc, pc: unread ? 'wake' : 'ack' })];
    }
    case 'wake':
      return publishTicket(world, id, proc.rec!.t + 1, true).map((to, i) =>
        go(`wakes it${twice(i)}`, { ...proc, pc: 'ack' }, to),
      );
    case 'flush-acked':
      return [{ label: `${proc.name}: is through`, to: withProc(world, idle(proc)) }];

    case 'end':
      return [go('reads what is left', { ...proc, pc: 'ending', upto: world.said[id]!.length })];
    case 'ending': {
      const rec = proc.rec!;
      const steers = world.said[id]!.slice(rec.steeringCursor, proc.upto);
      return commit(world, proc, ended(rec, proc.why!, { steers }, rules), 'ack', rules);
    }
    default:
      return proc.back ? takingBack(world, proc, rules) : claimStep(world, proc, rules);
  }
}

const takesBack = (back: Proc, id: number, why: string): Proc => {
  return { name: back.name, pc: 'take-back', id, q: back.q!, why, back };
};

const twice = (i: number) => (i === 0 ? '' : ', stored twice');
const reading = (world: World, proc: Proc): Proc => ({
  ...proc,
  pc: 'loop',
  upto: world.said[proc.id!]!.length,
  home: world.returned.length,
});
const hasNews = (world: World, { id, upto, home }: Proc) =>
  world.said[id!]!.length > upto! || (id === 0 && world.returned.length > home!);

function decide(world: World, proc: Proc, scene: Scene, rules: Rules): readonly Step<World>[] {
  const id = proc.id!;
  const task = scene.tasks[id]!;
  const rec = proc.rec!;
  // The task never gets further than here; a crash is its only step.
  if (task.poison && (task.kind === 'agent' || rec.kids > 0)) return [];
  const steers = world.said[id]!.slice(rec.steeringCursor, proc.upto);
  const read: Read = {
    steers,
    returned: id === 0 ? world.returned.slice(rec.resultCursor, proc.home) : [],
    failed: world.kv.flatMap((it, child) => (it?.result === 'failed' ? [child] : [])),
    restored: proc.restored === true,
    callReturned: proc.returned === true,
    deadlinePassed: world.deadlinePassed,
  };
  if (!rules.writeAheadAwaited && task.writes && rec.stage === 'new' && !read.callReturned)
    return [{ label: `${proc.name}: does not wait`, to: withProc(world, { ...proc, pc: 'start' }) }];
  if (!rules.takenInOneCommit && steers.length > 0 && !proc.next) {
    const moved: Rec = { ...rec, steeringCursor: rec.steeringCursor + steers.length };
    const wrote = write(world, id, rec, moved, proc.name, rules);
    if (!wrote.rec) return [{ label: `${proc.name}: moves the cursor, lost`, to: fenced(world, proc, rules) }];
    const held: Proc = { ...proc, rec: { ...wrote.rec, steeringCursor: rec.steeringCursor }, next: moved };
    return [{ label: `${proc.name}: moves the cursor first`, to: withProc(wrote.world, held) }];
  }
  const { next, move, again } = turn(task, rec, read, rules);
  const isUnchanged = move === 'wait' && steers.length === 0 && rec.stage === next.stage;
  if (isUnchanged) return [{ label: `${proc.name}: waits`, to: withProc(world, { ...proc, pc: 'wait' }) }];
  if (!rules.planBeforeTicket && next.attempt > rec.attempt && (proc.dispatched ?? 0) < next.attempt)
    return publishTicket(world, next.kids, 1, false).map((to) => ({
      label: `${proc.name}: dispatches ${next.kids} at once`,
      to: withProc(to, { ...proc, dispatched: next.attempt }),
    }));
  if (!rules.resultAfterCommit && next.result && world.results[id]!.length === 0)
    return [{ label: `${proc.name}: publishes its result first`, to: appendResult(world, id, next.result) }];
  const asked = again ? { ...world, mayStart: put(world.mayStart, id, true) } : world;
  return commit(asked, proc, next, move === 'end' ? 'ack' : move, rules, world);
}

/** A worker that leaves releases its task, unless a call is under way. The next holder reads what is unread. */
function drain(world: World, proc: Proc, rules: Rules): readonly Step<World>[] {
  const rec = proc.rec!;
  const hasUnread = rec.steeringCursor < proc.upto! || rec.resultCursor < (proc.id === 0 ? proc.home! : 0);
  if (world.spare.drains === 0 || hasUnread || rec.stage === 'calling') return [];
  const idleClaims = rules.parkingIsNoDeath ? Math.max(0, rec.idle - 1) : rec.idle;
  const next = withStatus({ ...rec, phase: 'ready', idle: idleClaims }, [], []);
  return commit(spend(world, 'drains'), proc, next, 'wake', rules, world);
}

/** A worker that lost the task during a call posts the outcome, with the run as its proof. */
const tell = (world: World, { id, rec }: Proc, outcome: 'done' | 'none', rules: Rules): World =>
  rules.outcomeAnswers ? say(world, id!, `${outcome}:${rec!.epoch}`) : world;

/** @param otherwise The world in which the write was lost. */
function commit(world: World, proc: Proc, next: Rec, onward: string, rules: Rules, otherwise = world): readonly Step<World>[] {
  const label = `${proc.name}: commits ${next.phase}`;
  const wrote = write(world, proc.id!, proc.rec!, next, proc.name, rules);
  if (!wrote.rec && proc.tentative && rules.forestalledLooksAgain) {
    const { name, id, t, q, tooLate } = proc as Required<Proc>;
    const again: Proc = { name, id, t, q, tooLate, pc: 'forestalled', tentative: false };
    return [{ label: `${label}, too late`, to: withProc(otherwise, again) }];
  }
  if (!wrote.rec) {
    const told = proc.returned ? tell(otherwise, proc, 'done', rules) : otherwise;
    return [{ label: `${label}, lost`, to: fenced(told, proc, rules) }];
  }
  const { next: _, returned: __, onward: ___, tentative, tooLate, ...host } = proc;
  const acksNow = !rules.ackLast && (next.phase === 'parked' || next.phase === 'done');
  const acked = acksNow ? ack(wrote.world, proc.q!) : wrote.world;
  const goesOn = acksNow ? (onward === 'park' ? 'park' : 'flush-acked') : onward;
  const isParent = next.kids > 0 && onward !== 'ack';
  const looksUp = tentative && proc.id! > 0 && next.phase !== 'done';
  const after =
    looksUp && rules.claimLooksUp
      ? { ...host, rec: wrote.rec, onward: goesOn, pc: 'above' }
      : flushing(acked, isParent ? { ...host, after: goesOn } : host, wrote.rec, isParent ? 'reconcile' : goesOn);
  let to = withProc(acked, after);
  if (looksUp && !rules.claimLooksUp && isOrphaned(world, proc.id!))
    to = breaks(to, 'nothing runs that was claimed after its parent had ended');
  if (tentative && tooLate) to = breaks(to, 'a tree that is purged stays purged');
  // A call that this commit allows does not wait for the flush.
  const atOnce = goesOn === 'call' && after.pc === 'flush';
  return [
    { label, to },
    ...(atOnce ? [{ label: `${label}, to be told of`, to: withProc(acked, { ...host, rec: wrote.rec, pc: 'call' }) }] : []),
    ...(rules.sentAlone ? [] : [{ label: `${label}, refused with others`, to: fenced(otherwise, proc, rules) }]),
    ...(wrote.unheard
      ? [{ label: `${label}, reply lost`, to: withProc(wrote.unheard, { ...proc, pc: 'commit', next, onward }) }]
      : []),
  ];
}
