/** A parent ends a child that it means to stop (rule `take-back`) or could not start (rule `fits`), unless a worker has begun. */
import { write } from './bus.ts';
import type { Step } from './explore.ts';
import { flushing } from './flush.ts';
import type { Rules } from './rules.ts';
import { ended } from './turn.ts';
import { blank, type Proc, type World, withProc } from './world.ts';

export function takingBack(world: World, proc: Proc, rules: Rules): readonly Step<World>[] {
  const id = proc.id!;
  const go = (label: string, next: Proc, to = world): Step<World> => ({
    label: `${proc.name}: ${label}`,
    to: withProc(to, next),
  });
  switch (proc.pc) {
    case 'take-back': {
      const rec = world.kv[id]!;
      if (rec?.epoch) return [go(`finds ${id} begun`, proc.back!)];
      if (rec?.phase === 'done')
        return [go(`finds ${id} ended`, rules.endedIsFlushed ? flushing(world, proc, rec, 'took-back') : proc.back!)];
      const next = { ...proc, rec, upto: world.said[id]!.length };
      return [go(`finds ${id} unstarted`, { ...next, pc: rec || rules.takenBackAtOnce ? 'taking-back' : 'making-up' })];
    }
    // Without the rule: the record is made first and ended by a second write.
    case 'making-up': {
      const wrote = write(world, id, null, { ...blank, stage: 'dropping' }, proc.name, rules);
      return [
        wrote.rec
          ? go(`makes ${id} up`, { ...proc, rec: wrote.rec, pc: 'taking-back' }, wrote.world)
          : go('is too late', { ...proc, pc: 'take-back' }),
      ];
    }
    case 'taking-back': {
      const before = proc.rec ?? blank;
      const steers = world.said[id]!.slice(before.steeringCursor, proc.upto);
      const wrote = write(world, id, proc.rec ?? null, ended(before, proc.why!, { steers }, rules), proc.name, rules);
      if (!wrote.rec) return [go('is too late', { ...proc, pc: 'take-back' })];
      return [go(`takes ${id} back`, flushing(wrote.world, proc, wrote.rec, 'took-back'), wrote.world)];
    }
    case 'took-back':
      return [go('turns back', proc.back!)];
    default:
      return [];
  }
}
