/** The same walk with the process lost on the way: what must come out the same, and where it may not. */
import type { AnyEventObject } from 'xstate';
import { type Model, Walk } from './walk.ts';

/** How a task came out, as far as a crash must not change it. */
export interface Outcome {
  readonly summary: string;
  /** An effect was in doubt and the operator had to say: then it may come out otherwise. */
  readonly inDoubt: boolean;
}
export interface CrashSense<Event, Observation> {
  /** Fits an event of the path to this walk: ids of its own for commands, the question that is open for answers. */
  readonly fit: (event: Event, id: string, is: Observation) => Event;
  readonly summary: (is: Observation) => string;
  readonly inDoubt: (is: Observation) => boolean;
}

/** Walks the path and loses the process after event number `at` (none for -1). Null where the path already ended before. */
export function walkWithCrash<Event extends AnyEventObject, Look, Observation>(
  model: Model<Event, Look, Observation>,
  sense: CrashSense<Event, Observation>,
  path: readonly Event[],
  at: number,
): Outcome | null {
  const walking = new Walk(model);
  const { rig } = walking;
  let inDoubt = false;
  const go = (event: Event, id: string) => {
    walking.go(sense.fit(event, id, model.observe(rig)));
    inDoubt ||= sense.inDoubt(model.observe(rig));
  };
  /** After a crash a step may have to be asked for again before the path can go on. */
  const help = (event: Event) => {
    for (let i = 0; i < 3 && !walking.canHappen(event); i++) {
      const next = model.towardsTheEnd(walking.look);
      if (!next || model.saidBy(next)) return;
      go(next, `x${rig.seen.length}${i}${Math.abs(at)}${path.indexOf(event)}`);
    }
  };
  try {
    for (const [i, event] of path.entries()) {
      if (walking.isOver) return null;
      help(event);
      if (walking.canHappen(event)) go(event, `e${i}`);
      if (i === at && !walking.isOver) go({ type: 'RESTORED' } as Event, '');
    }
    for (let i = 0; !walking.isOver; i++) {
      if (i > 40) throw new Error('it never comes to its end');
      go(model.towardsTheEnd(walking.look)!, `z${i}`);
    }
    return { summary: sense.summary(model.observe(rig)), inDoubt };
  } finally {
    rig.stop();
  }
}
