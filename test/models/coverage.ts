/** The transitions and states of a chart that tests took, counted from the reports of the running actor. */
import type { AnyStateMachine } from 'xstate';

interface Transition {
  readonly eventType: string;
  readonly guard?: unknown;
  readonly source: Node;
}
interface Node {
  readonly id: string;
  readonly type: string;
  readonly transitions: Map<string, Transition[]>;
  readonly always?: Transition[];
  readonly states: Record<string, Node>;
}

export function transitionKey(transition: Transition): string {
  const { source, eventType } = transition;
  const siblings = (eventType ? source.transitions.get(eventType) : source.always) ?? [];
  return `${source.id} ${eventType || 'always'}#${siblings.indexOf(transition)}`;
}

const descend = (node: Node): Node[] => [node, ...Object.values(node.states).flatMap(descend)];
const nodesOf = (machine: AnyStateMachine): Node[] => descend(machine.root as unknown as Node);

export const allTransitions = (machine: AnyStateMachine): string[] =>
  nodesOf(machine).flatMap((node) => [...[...node.transitions.values()].flat(), ...(node.always ?? [])].map(transitionKey));

/** The leaves in which a chart can rest; `deciding` is none of them. */
export const allStates = (machine: AnyStateMachine): string[] =>
  nodesOf(machine)
    .filter(({ states, always }) => Object.keys(states).length === 0 && !always?.some(({ guard }) => guard === undefined))
    .map(({ id }) => id.slice(machine.id.length + 1));

/** The leaf of a state value, spelled as in `allStates`. */
export const leaf = (value: unknown): string =>
  typeof value === 'object' && value !== null
    ? Object.entries(value)
        .map(([key, below]) => `${key}.${leaf(below)}`)
        .join()
    : String(value);
