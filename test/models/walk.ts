/** Walks a chart under its contract: to the end of a path, then with a cooperative operator to the end of the task. */
import type { AnyEventObject, AnyStateMachine } from 'xstate';
import { Rig, type SaidBy } from './rig.ts';

/** The facts about a chart that the shared code needs. */
export interface Model<Event extends AnyEventObject, Look, Observation> {
  readonly machine: AnyStateMachine;
  readonly input: unknown;
  readonly effects: readonly string[];
  readonly saidBy: SaidBy;
  // biome-ignore lint/suspicious/noExplicitAny: the snapshot of either chart.
  readonly look: (snapshot: any) => Look;
  readonly observe: (rig: Rig) => Observation;
  readonly contract: (first: Observation) => { after(event: Event, is: Observation): void };
  readonly alphabet: (look: Look) => Event[];
  readonly towardsTheEnd: (look: Look) => Event | null;
  readonly isOver: (look: Look) => boolean;
  readonly endsIt: (event: Event) => boolean;
}

/** More answers than any path needs. */
const patience = 40;

export class Walk<Event extends AnyEventObject, Look, Observation> {
  readonly rig: Rig;
  readonly #model: Model<Event, Look, Observation>;
  readonly #contract: { after(event: Event, is: Observation): void };

  constructor(model: Model<Event, Look, Observation>, covered: Set<string> | null = null) {
    this.#model = model;
    this.rig = new Rig(model.machine, model.input, model.effects, model.saidBy, covered);
    this.#contract = model.contract(model.observe(this.rig));
  }

  get look(): Look {
    return this.#model.look(this.rig.snapshot);
  }
  get isOver(): boolean {
    return this.#model.isOver(this.look);
  }
  choices(): Event[] {
    return this.#model.alphabet(this.look);
  }
  /** Whether the effect that sends the event is in flight. */
  canHappen(event: Event): boolean {
    const said = this.#model.saidBy(event);
    return !said || this.rig.speakerOf(said.effect) !== undefined;
  }

  go(event: Event): void {
    this.rig.drive(event);
    if (this.rig.error) throw this.rig.error;
    this.#contract.after(event, this.#model.observe(this.rig));
  }
  /** One step of the cooperative operator; false when there is nothing left to do. */
  cooperate(): boolean {
    const event = this.#model.towardsTheEnd(this.look);
    if (event) this.go(event);
    return event !== null;
  }
  finish(): void {
    for (let i = 0; this.cooperate(); i++) if (i > patience) throw new Error('the task has not ended with all this help');
  }
}

export function walk<Event extends AnyEventObject, Look, Observation>(
  model: Model<Event, Look, Observation>,
  path: readonly Event[],
  covered: Set<string> | null = null,
): void {
  const walking = new Walk(model, covered);
  try {
    for (const event of path) walking.go(event);
    walking.finish();
  } finally {
    walking.rig.stop();
  }
}

/** A random walk: each number chooses among the possible events, half of the time a fact, seldom an event that ends the task. */
export function wander<Event extends AnyEventObject, Look, Observation>(
  model: Model<Event, Look, Observation>,
  picks: readonly number[],
  covered: Set<string> | null = null,
): void {
  const walking = new Walk(model, covered);
  try {
    for (const pick of picks) {
      const choices = walking.choices();
      if (choices.length === 0) break;
      const gentle = pick % 20 === 0 ? choices : choices.filter((event) => !model.endsIt(event));
      const facts = gentle.filter((event) => !('id' in event));
      const some = pick % 2 === 0 && facts.length > 0 ? facts : gentle;
      walking.go(some[Math.floor(pick / 20) % some.length]!);
    }
    walking.finish();
  } finally {
    walking.rig.stop();
  }
}
