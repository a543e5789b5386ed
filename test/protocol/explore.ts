/** Explores every reachable state of a model, breadth first, so that the first counterexample is a shortest one. */

export interface Step<State> {
  readonly label: string;
  readonly to: State;
}

export interface Model<State> {
  readonly initial: State;
  next(state: State): readonly Step<State>[];
  /** States with the same key are the same. */
  key(state: State): string;
  /** The property that this state breaks, or null. */
  broken(state: State): string | null;
  /** The things that still have to happen. A state that lacks nothing is a good end. */
  missing(state: State): readonly string[];
}

export interface Exploration {
  readonly states: number;
  readonly violation: { readonly property: string; readonly trace: readonly string[] } | null;
}

/**
 * Safety: no reachable state is `broken`. Liveness: from every reachable state some continuation leads to a good end; this also
 * excludes deadlocks and endless loops without a way out.
 * @param maxStates A model with more states is taken for one that grows without bound.
 * @throws Error above `maxStates`.
 */
export function explore<State>(model: Model<State>, maxStates: number): Exploration {
  const seen = new Map<string, number>([[model.key(model.initial), 0]]);
  const states: (State | null)[] = [model.initial];
  const parents = [0];
  const labels = [''];
  const edges: number[] = [];
  const good: number[] = [];
  const trace = (at: number): string[] => (at === 0 ? [] : [...trace(parents[at]!), labels[at]!]);

  for (let at = 0; at < states.length; at++) {
    const state = states[at]!;
    // An expanded state is not needed again. The liveness check replays the few that it needs from their traces.
    states[at] = null;
    const property = model.broken(state);
    if (property) return { states: states.length, violation: { property, trace: trace(at) } };
    if (model.missing(state).length === 0) good.push(at);
    for (const { label, to } of model.next(state)) {
      const key = model.key(to);
      let index = seen.get(key);
      if (index === undefined) {
        index = states.length;
        if (index >= maxStates) throw new Error(`more than ${maxStates} states`);
        seen.set(key, index);
        states.push(to);
        parents.push(at);
        labels.push(label);
      }
      if (index !== at) edges.push(at, index);
    }
  }
  const doomed = withoutWayOut(states.length, edges, good);
  if (doomed === null) return { states: states.length, violation: null };
  const lacks = model.missing(replay(model, trace(doomed.last)));
  return { states: states.length, violation: { property: `never: ${lacks.join(', ')}`, trace: trace(doomed.first) } };
}

/** The first state from which no good end can be reached, and the last state reachable from it. */
function withoutWayOut(
  count: number,
  edges: readonly number[],
  good: readonly number[],
): { readonly first: number; readonly last: number } | null {
  const back = adjacency(count, edges, 1, 0);
  const hopeful = reach(count, back, good);
  const first = hopeful.indexOf(0);
  if (first === -1) return null;
  return { first, last: reach(count, adjacency(count, edges, 0, 1), [first]).lastIndexOf(1) };
}

interface Adjacency {
  readonly start: Uint32Array;
  readonly to: Uint32Array;
}

function adjacency(count: number, edges: readonly number[], from: 0 | 1, to: 0 | 1): Adjacency {
  const start = new Uint32Array(count + 1);
  for (let i = 0; i < edges.length; i += 2) start[edges[i + from]! + 1]!++;
  for (let i = 0; i < count; i++) start[i + 1]! += start[i]!;
  const fill = start.slice();
  const ends = new Uint32Array(edges.length / 2);
  for (let i = 0; i < edges.length; i += 2) ends[fill[edges[i + from]!]!++] = edges[i + to]!;
  return { start, to: ends };
}

function reach(count: number, { start, to }: Adjacency, from: readonly number[]): Uint8Array {
  const reached = new Uint8Array(count);
  const stack = [...from];
  for (const at of stack) reached[at] = 1;
  for (let at = stack.pop(); at !== undefined; at = stack.pop())
    for (let i = start[at]!; i < start[at + 1]!; i++) {
      const next = to[i]!;
      if (reached[next]) continue;
      reached[next] = 1;
      stack.push(next);
    }
  return reached;
}

function replay<State>(model: Model<State>, trace: readonly string[]): State {
  return trace.reduce((state, label) => {
    const step = model.next(state).find((it) => it.label === label);
    if (!step) throw new Error(`no step ${label}: labels must be unique in a state`);
    return step.to;
  }, model.initial);
}

/** Gives equal values equal short names. Unchanged parts are known by identity, so naming a state costs only its new parts. */
export class Interner {
  readonly #byIdentity = new WeakMap<object, string>();
  readonly #byText = new Map<string, string>();

  name(part: unknown): string {
    if (typeof part !== 'object' || part === null) return String(part);
    let name = this.#byIdentity.get(part);
    if (name !== undefined) return name;
    const text = JSON.stringify(part);
    name = this.#byText.get(text);
    if (name === undefined) {
      name = this.#byText.size.toString(36);
      this.#byText.set(text, name);
    }
    this.#byIdentity.set(part, name);
    return name;
  }
}
