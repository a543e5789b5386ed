/** The real actor with effects that the test controls: it sees them begin and end, and sends their facts. */
import { type AnyEventObject, type AnyStateMachine, createActor, fromCallback, type InspectionEvent } from 'xstate';
import { leaf, transitionKey } from './coverage.ts';

export type Seen = { readonly began: string; readonly input: unknown } | { readonly ended: string };

/**
 * The effect that sends an event (of several, the one in flight), and whether it is its last event; null for events from
 * elsewhere.
 */
export type SaidBy = (event: AnyEventObject) => { readonly effect: string | readonly string[]; readonly last: boolean } | null;

export class Rig {
  /** Begins and ends of effects since the last event. */
  seen: Seen[] = [];
  error: unknown;
  readonly inFlight = new Map<string, (event: AnyEventObject) => void>();
  readonly #machine: AnyStateMachine;
  readonly #saidBy: SaidBy;
  readonly #covered: Set<string> | null;
  #actor: ReturnType<Rig['boot']>;

  constructor(machine: AnyStateMachine, input: unknown, effects: readonly string[], saidBy: SaidBy, covered: Set<string> | null) {
    const actors = Object.fromEntries(effects.map((name) => [name, this.#effect(name)]));
    this.#machine = machine.provide({ actors } as never);
    this.#saidBy = saidBy;
    this.#covered = covered;
    this.#actor = this.boot({ input });
    this.#covered?.add(leaf(this.snapshot.value));
  }

  #effect(name: string) {
    return fromCallback<AnyEventObject, unknown>(({ sendBack, input }) => {
      if (this.inFlight.has(name)) throw new Error(`two ${name} at once`);
      this.inFlight.set(name, sendBack);
      this.seen.push({ began: name, input: structuredClone(input) });
      return () => {
        if (this.inFlight.get(name) === sendBack) this.inFlight.delete(name);
        this.seen.push({ ended: name });
      };
    });
  }

  boot(options: object) {
    // Inspection takes a third of the time, so only a rig that counts transitions has it.
    const covered = this.#covered;
    const inspect = covered ? { inspect: (event: InspectionEvent) => count(event, covered) } : {};
    const actor = createActor(this.#machine, { ...options, ...inspect } as never);
    actor.subscribe({
      error: (error) => {
        this.error = error;
      },
    });
    return actor.start();
  }

  // biome-ignore lint/suspicious/noExplicitAny: one rig for both charts; each chart's `look` types what it reads.
  get snapshot(): any {
    return this.#actor.getSnapshot();
  }

  speakerOf(effect: string | readonly string[]): string | undefined {
    return [effect].flat().find((name) => this.inFlight.has(name));
  }

  drive(event: AnyEventObject): void {
    this.seen = [];
    const said = this.#saidBy(event);
    const speaker = said && this.speakerOf(said.effect);
    const say = speaker ? this.inFlight.get(speaker) : undefined;
    if (said && !say) throw new Error(`${event.type} can't come: ${said.effect} is not in flight`);
    if (speaker && said?.last) this.inFlight.delete(speaker);
    if (event.type === 'RESTORED') this.crash();
    else if (say && !event.type.startsWith('xstate.error')) say(event);
    else this.#actor.send(event);
    this.#covered?.add(leaf(this.snapshot.value));
  }

  /** Loses the process between two events and goes on from the checkpoint. */
  crash(): void {
    const { children: _, ...checkpoint } = JSON.parse(JSON.stringify(this.#actor.getPersistedSnapshot()));
    this.#actor.stop();
    this.seen = [];
    this.inFlight.clear();
    this.#actor = this.boot({ snapshot: { ...checkpoint, children: {} } });
    if (this.snapshot.status === 'active') this.#actor.send({ type: 'RESTORED' });
  }

  stop(): void {
    this.#actor.stop();
  }
}

function count(event: InspectionEvent, covered: Set<string>) {
  if (event.type !== '@xstate.microstep') return;
  for (const transition of event._transitions) covered.add(transitionKey(transition as never));
}
