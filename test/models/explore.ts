/** Paths through the real chart, one for every edge of a projection of its context. */
import { getShortestPaths } from '@xstate/graph';
import type { AnyEventObject, AnyStateMachine } from 'xstate';

export interface Exploration<Snap, Event> {
  readonly machine: AnyStateMachine;
  readonly input: unknown;
  /** The events that can come next. */
  readonly alphabet: (snapshot: Snap) => Event[];
  /** Tells two snapshots apart. Counters and texts are left out, since they would make the paths endless. */
  readonly project: (snapshot: Snap) => string;
  /** Tells two events apart. */
  readonly label: (event: Event) => string;
  /**
   * How many histories with the same projection are explored further; by default all. The projection hides part of the state, so
   * an edge may lead to different places. A smaller number misses some edges (of a supervisor: one history misses 10%, three 6%)
   * and takes a fraction of the time.
   */
  readonly histories?: number;
}

/** Only the events of a path are used: the states that the library reports along it are wrong. */
export function edgePaths<Snap, Event extends AnyEventObject>(exploration: Exploration<Snap, Event>): Event[][] {
  const { machine, input, alphabet, project, label, histories = Number.POSITIVE_INFINITY } = exploration;
  const expanded = new Map<string, number>();
  const events = (snapshot: Snap) => {
    const situation = project(snapshot);
    const count = expanded.get(situation) ?? 0;
    expanded.set(situation, count + 1);
    return count < histories ? alphabet(snapshot) : [];
  };
  const paths = getShortestPaths(machine, {
    events,
    input,
    limit: 500_000,
    serializeState: (snapshot: Snap, event?: Event, previous?: Snap) =>
      `${previous ? project(previous) : ''} -${event ? label(event) : ''}-> ${project(snapshot)}`,
  } as never);
  return paths.map(({ steps }) => steps.slice(1).map(({ event }) => event as unknown as Event));
}
