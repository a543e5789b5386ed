/** The same walk with the process lost on the way: the outcome must be the same, unless an effect was in doubt. */
import type { AnyEventObject } from 'xstate';
import { type Model, Walk } from './walk.ts';

/** The part of a task’s outcome that a crash must not change. */
export interface Outcome {
  readonly summary: string;
  /** An effect was in doubt and the operator answered: the outcome may then differ. */
  readonly inDoubt: boolean;
}
export interface CrashSense<Event, Observation> {
  /** Adapts an event of the path to this walk: a command’s id, and the open question for an answer. */
  readonly fit: (event: Event, id: string, is: Observation) => Event;
  readonly summary: (is: Observation) => string;
  readonly inDoubt: (is: Observation) => boolean;
}

/** Walks the path and loses the process after event number `at` (-1: never). Null when the path has already ended before it. */
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
  /** After a crash a step may have to be answered for again before the path can go on. */
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
      if (i > 40) throw new Error('the task has not ended with all this help');
      go(model.towardsTheEnd(walking.look)!, `z${i}`);
    }
    return { summary: sense.summary(model.observe(rig)), inDoubt };
  } finally {
    rig.stop();
  }
}
