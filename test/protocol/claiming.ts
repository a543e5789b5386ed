/** How a worker comes to hold a task: rules `claim`, `first-claim`, `planned-child`, `slots`, `poison` and `ended-parent`. */
import { ack, assign, letGo, read, write } from './bus.ts';
import type { Step } from './explore.ts';
import { flushing } from './flush.ts';
import type { Rules } from './rules.ts';
import { blank, breaks, idle, type Proc, type Rec, type Scene, type Ticket, type World, withProc } from './world.ts';

/** Claims in a row without progress before the task is ended. */
const maxIdleClaims = 2;

const isLive = (rec: Rec | null | undefined) => !!rec && rec.phase !== 'done' && rec.phase !== 'unborn';
/** Whether a recent view of the parent has planned the child. Nothing is purged in the age of that view (docs/adr/0017). */
const wasPlanned = (world: World, id: number) => !world.purged && id <= (world.kv[0]?.kids ?? 0);
export const isPlanned = (parent: Rec | null, id: number) => parent !== null && isLive(parent) && id <= parent.kids;

export function takes(world: World, proc: Proc, kind: Scene['workers'][number], rules: Rules): readonly Step<World>[] {
  const fits = ({ id, wake, to }: Ticket) => {
    if (to !== null) return false;
    switch (kind) {
      case 'any':
        return true;
      // Without slots of their own, wakes and supervisors wait for the slots of the others.
      case 'pending':
        return !wake || !rules.wakesReserved;
      case 'wake':
        return wake && rules.wakesReserved;
      case 'agent':
        return id > 0 || !rules.ownSlots;
      case 'supervisor':
        return id === 0 && rules.ownSlots;
    }
  };
  // Idle workers are alike, so the first one stands for all.
  if (world.procs.find(({ name, pc }) => name.startsWith('worker') && pc === 'idle') !== proc && kind === 'any') return [];
  return world.queue.filter(fits).map(({ q, id, t, again }) => {
    // The first ticket of a child carries its specification, so nothing is read.
    const tentative = !again || !rules.redeliveredIsWritten;
    const first = rules.claimChecksPlan ? 'plan' : 'take';
    const pc = tentative && id > 0 && t === 1 ? first : 'claim';
    const claimer: Proc = { name: proc.name, pc, id, t, q, rec: null, tentative, tooLate: world.purged };
    return { label: `${proc.name}: takes ticket ${t} of ${id} (${q})`, to: withProc(assign(world, q, proc.name), claimer) };
  });
}

export function claimStep(world: World, proc: Proc, rules: Rules): readonly Step<World>[] {
  const id = proc.id!;
  const { name } = proc;
  const go = (label: string, next: Proc, to = world): Step<World> => ({ label: `${name}: ${label}`, to: withProc(to, next) });
  switch (proc.pc) {
    case 'claim':
      return read(world, id, rules).map(({ rec, how }) => go(`reads ${id}${how}`, judged(world, { ...proc, rec }, rules)));
    case 'plan': {
      const take = { ...proc, pc: 'take' };
      if (isPlanned(world.kv[0]!, id)) return [go(`finds ${id} planned`, take)];
      // A worker that has read nothing may still find a record, so it reads.
      const not = go(`finds ${id} not planned`, { ...proc, pc: proc.tentative ? 'claim' : 'ack' });
      return wasPlanned(world, id) ? [not, go(`saw ${id} planned`, take)] : [not];
    }
    case 'take':
      return take(world, proc, rules);
    case 'above': {
      const ended = !isLive(world.kv[0]);
      if (ended) return [go('looks at the parent', { ...proc, pc: 'end', why: 'cancelled' })];
      if (!proc.onward) return [go('looks at the parent', { ...proc, pc: 'read' })];
      return [go('looks at the parent', flushing(world, proc, proc.rec!, proc.onward))];
    }
    // The first commit was lost, so the ticket is judged by the record.
    case 'forestalled': {
      const rec = world.kv[id];
      const isHeld = rec?.phase === 'held' && rec.t === proc.t && rec.q === proc.q;
      if (isHeld && rules.leftToHolder) return [go('finds it held', idle(proc), letGo(world, proc))];
      return [go('finds itself forestalled', { ...proc, pc: 'claim', rec: null })];
    }
    case 'ack':
      return [go('acks', idle(proc), ack(world, proc.q!))];
    default:
      return [];
  }
}

function judged(world: World, proc: Proc, rules: Rules): Proc {
  const { rec, t, q, id } = proc;
  if (!rec || rec.phase === 'unborn') {
    if (id === 0) return { ...proc, pc: 'ack' };
    return { ...proc, tentative: false, pc: rules.claimChecksPlan ? 'plan' : 'take' };
  }
  if (rec.phase === 'done') return rules.doneTicketFlushes ? flushing(world, proc, rec, 'ack') : { ...proc, pc: 'ack' };
  const next = (rec.phase === 'ready' || rec.phase === 'parked') && t === rec.t + 1;
  const again = rec.phase === 'held' && t === rec.t && (q === rec.q || !rules.claimChecksSequence);
  const isFirst = next && rec.epoch === 0 && proc.tentative === true;
  if (next || again || !rules.claimChecksTicket) return { ...proc, tentative: isFirst, pc: 'take' };
  if (rec.phase === 'parked' && t === rec.t && rules.parkedTicketLooksAgain) return flushing(world, proc, rec, 'parked-again');
  const isReleased = rec.phase === 'ready' && t === rec.t && q === rec.q;
  if (isReleased && rules.releasedTicketGoesOn) return flushing(world, proc, rec, 'wake');
  return { ...proc, pc: 'ack' };
}

function take(world: World, proc: Proc, rules: Rules): readonly Step<World>[] {
  const seen = proc.rec!;
  const id = proc.id!;
  const before = seen ?? blank;
  const again = before.phase === 'held' && !rules.epochPerClaim;
  const next: Rec = {
    ...before,
    phase: 'held',
    epoch: before.epoch + (again ? 0 : 1),
    t: proc.t!,
    q: proc.q!,
    idle: before.idle + 1,
  };
  if (proc.tentative) {
    const host: Proc = { ...proc, rec: { ...next, w: seen?.w ?? 0 }, restored: before.stage !== 'new', pc: 'read' };
    return [{ label: `${proc.name}: means to claim ${id}`, to: withProc(world, host) }];
  }
  const wrote = write(world, id, seen, next, proc.name, rules);
  const label = `${proc.name}: claims ${id}`;
  if (!wrote.rec) return [{ label: `${label}, lost`, to: withProc(world, { ...proc, pc: 'claim', rec: null }) }];
  const tooMany = rules.poison && before.idle >= maxIdleClaims;
  const orphan = isOrphaned(wrote.world, id);
  const looksUp = id > 0 && rules.claimLooksUp;
  const { tooLate: _, tentative: __, ...kept } = proc;
  const after: Proc = { ...kept, rec: wrote.rec, restored: before.stage !== 'new', orphan, pc: looksUp ? 'above' : 'read' };
  let to = withProc(wrote.world, tooMany ? { ...after, pc: 'end', why: 'poison' } : after);
  const isAlive = world.procs.some(({ name, q, pc }) => name.startsWith('worker') && q === before.q && pc !== 'idle');
  if (before.phase === 'held' && isAlive && proc.q !== before.q) to = breaks(to, 'no other ticket takes a task from its worker');
  if (proc.tooLate) to = breaks(to, 'a tree that is purged stays purged');
  if (before.stage === 'dropping' && id > 0) to = breaks(to, 'what is taken back before it starts never runs');
  if (tooMany && world.deaths === 0) to = breaks(to, 'only what kills workers is taken for poison');
  return [{ label, to }, ...(wrote.unheard ? [{ label: `${label}, reply lost`, to: wrote.unheard }] : [])];
}

/** Whether the parent of the task has ended or is gone. */
export const isOrphaned = (world: World, id: number) => id > 0 && !isLive(world.kv[0]);

/** Stops without a trace: another worker holds the task. */
export function fenced(world: World, proc: Proc, rules: Rules): World {
  const silent = letGo(world, proc);
  return withProc(rules.fencedStaysSilent ? silent : ack(silent, proc.q!), idle(proc));
}
