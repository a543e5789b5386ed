/** The processes for tasks that no worker holds, by rules `waker`, `sweeper` and `deadline`. */
import { publishTicket, read, say, write } from './bus.ts';
import { isPlanned } from './claiming.ts';
import type { Step } from './explore.ts';
import { flushing, flushStep } from './flush.ts';
import type { Rules } from './rules.ts';
import { fresh, remembered, withStatus } from './turn.ts';
import { blank, type Event, type Id, idle, type Proc, put, type Rec, type World, withProc } from './world.ts';

const isSame = (a: Event, b: Event) => a.to === b.to && a.channel === b.channel && a.seq === b.seq;

const acked = (world: World, event: Event): World => ({
  ...world,
  pending: world.pending.filter((it) => !isSame(it, event)),
});

export function wakerSteps(world: World, proc: Proc, rules: Rules): readonly Step<World>[] {
  const go = (label: string, next: Proc, to = world): Step<World> => ({
    label: `${proc.name}: ${label}`,
    to: withProc(to, next),
  });
  const event = proc.event!;
  const later = (label: string, to = world) => go(label, idle(proc), to);
  switch (proc.pc) {
    // A waker that has a message and has not read the record yet has done nothing that anyone can notice.
    case 'idle':
      return world.pending
        .filter((it) => !world.procs.some((other) => other.event && isSame(other.event, it)))
        .flatMap((it) =>
          wakerSteps(world, { ...proc, pc: 'judge', event: it, id: it.to }, rules).map(({ label, to }) => ({
            label: `${label} (${it.channel} ${it.seq} of ${it.to})`,
            to,
          })),
        );
    case 'judge':
      return read(world, event.to, rules).map(({ rec, how }) => {
        const label = `reads ${event.to}${how}`;
        // Once a message is covered it stays covered, so an ack later is as good as an ack now.
        const covered = () => later(`${label}: acks`, acked(world, event));
        if (!rec || rec.phase === 'unborn')
          return event.channel === 'result' ? covered() : go(label, { ...proc, pc: 'plan', rec });
        const cursor = event.channel === 'result' ? rec.resultCursor : rec.steeringCursor;
        if (rec.phase === 'done' && event.channel === 'steering')
          return go(label, rules.returnsLate ? flushing(world, proc, rec, 'late') : { ...proc, pc: 'ack' });
        if (cursor >= event.seq || rec.phase === 'done') return covered();
        if (rec.phase === 'parked' && rules.wakerWakesParked) return go(label, { ...proc, pc: 'wake', rec });
        return rules.wakerAcksOnlyCovered ? later(`${label}: later`) : covered();
      });
    case 'plan':
      if (isPlanned(world.kv[0]!, event.to)) return [later('finds it planned: later')];
      if (!rules.tombstones) return [go('finds no such task', { ...proc, pc: 'ack' })];
      return [go('finds no such task', proc.rec ? flushing(world, proc, proc.rec, 'late') : { ...proc, pc: 'late' })];
    case 'late': {
      const rec = proc.rec ?? { ...blank, phase: 'unborn' as const };
      if (rec.phase === 'unborn' && !rules.tombstoneIsRecord)
        return [go('returns it', { ...proc, pc: 'ack' }, tombstone(world, event))];
      // A page is a single steer here.
      const steers = world.said[event.to]!.slice(rec.steeringCursor, rec.steeringCursor + 1);
      if (steers.length === 0) return [go('finds nothing unread', { ...proc, pc: 'ack' })];
      const taken = fresh(steers, rules.lateDropsKnown ? [...rec.seen, ...rec.known] : rec.inbox, true);
      const known = remembered(rec, taken, rules);
      const next: Rec = { ...rec, steeringCursor: rec.steeringCursor + steers.length, known };
      return [
        go('reads a page of what is unread', {
          ...proc,
          pc: 'return',
          next: taken.length > 0 ? withStatus(next, [], taken) : next,
        }),
      ];
    }
    case 'return': {
      const wrote = write(world, event.to, proc.rec!, proc.next!, proc.name, rules);
      const { next: _, ...rest } = proc;
      if (!wrote.rec) return [go('commits, lost', { ...rest, pc: 'judge', rec: null })];
      return [
        go('commits what it returns', flushing(wrote.world, rest, wrote.rec, 'late'), wrote.world),
        ...(wrote.unheard ? [{ label: `${proc.name}: commits what it returns, reply lost`, to: wrote.unheard }] : []),
      ];
    }
    case 'flush':
      return flushStep(world, proc, rules);
    case 'wake':
      return publishTicket(world, event.to, proc.rec!.t + 1, true).map((to, i) =>
        later(`wakes it${i ? ', stored twice' : ''}`, to),
      );
    case 'ack':
      return [later('acks', acked(world, event))];
    default:
      return [];
  }
}

/** Publishes a status without a commit behind it. */
function tombstone(world: World, { to, seq }: Event): World {
  const final = `f:${world.said[to]![seq - 1]}`;
  const again = world.status[to]!.some(({ receipts }) => receipts.includes(final));
  const next = { ...world, status: put(world.status, to, [...world.status[to]!, { n: 0, receipts: [final], asks: false }]) };
  return again ? { ...next, broken: 'a steer has one final receipt' } : next;
}

export function sweeperSteps(world: World, proc: Proc, rules: Rules): readonly Step<World>[] {
  const go = (label: string, next: Proc, to = world): Step<World> => ({
    label: `${proc.name}: ${label}`,
    to: withProc(to, next),
  });
  if (proc.pc === 'publish')
    return publishTicket(world, proc.id!, proc.t!, false).map((to, i) =>
      go(`publishes it${i ? ', stored twice' : ''}`, idle(proc), to),
    );
  if (proc.pc === 'mend') {
    const rec = proc.rec!;
    const gone = !world.queue.some(({ q }) => q === rec.q);
    if (!gone) return [go('finds its ticket', idle(proc))];
    const wrote = write(world, proc.id!, rec, { ...rec, phase: 'ready' }, proc.name, rules);
    if (!wrote.rec) return [go('mends, lost', idle(proc))];
    return [go('makes it ready', { name: proc.name, pc: 'publish', id: proc.id!, t: wrote.rec.t + 1 }, wrote.world)];
  }
  return world.kv.flatMap((rec, id) => {
    if (!rec || rec.phase === 'unborn') return [];
    const told = world.said[id]!.includes('cancel');
    const above = world.kv[0];
    if (rules.sweepsOrphans && id > 0 && rec.phase !== 'done' && (!above || above.phase === 'done') && !told)
      return [go(`tells orphan ${id} to stop`, idle(proc), say(world, id, 'cancel'))];
    // A task counts as old when no ticket of it is there. A second ticket would only make the queue longer.
    const ticket = world.queue.some((it) => it.id === id);
    if (rules.sweepsReady && rec.phase === 'ready' && !ticket)
      return [go(`sees ${id} ready`, { name: proc.name, pc: 'publish', id, t: rec.t + 1 })];
    if (rules.sweepsHeld && rec.phase === 'held') return [go(`sees ${id} held`, { name: proc.name, pc: 'mend', id, rec })];
    return [];
  });
}

/** A due timer wakes the task if it is parked. A held task keeps its deadline itself. */
export function timerSteps(world: World, proc: Proc): readonly Step<World>[] {
  const drop = (id: Id, to: World): World => ({ ...to, timers: put(to.timers, id, 'none') });
  const id = world.timers.indexOf('due');
  if (proc.pc === 'idle') {
    if (id === -1) return [];
    return [{ label: `timers: reads ${id}`, to: withProc(world, { ...proc, pc: 'wake', id, rec: world.kv[id]! }) }];
  }
  const { rec } = proc;
  if (rec?.phase !== 'parked') return [{ label: 'timers: drops it', to: withProc(drop(proc.id!, world), idle(proc)) }];
  return publishTicket(world, proc.id!, rec.t + 1, true).map((to, i) => ({
    label: `timers: wakes it${i ? ', stored twice' : ''}`,
    to: withProc(drop(proc.id!, to), idle(proc)),
  }));
}
