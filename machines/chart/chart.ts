/** Reads a chart from the compiled machine: its states and the ways between them. */
import type { AnyStateMachine } from 'xstate';

/** The parts of xstate’s compiled chart that are read here. */
export interface ChartNode {
  readonly id: string;
  readonly key: string;
  readonly type: string;
  readonly parent?: ChartNode;
  readonly description?: string;
  readonly tags: readonly string[];
  readonly initial?: { readonly target: readonly ChartNode[] };
  readonly states: Readonly<Record<string, ChartNode>>;
  readonly transitions: ReadonlyMap<string, readonly ChartTransition[]>;
  readonly always?: readonly ChartTransition[];
  readonly invoke: readonly { readonly id: string; readonly src: unknown }[];
  readonly entry: readonly unknown[];
  readonly exit: readonly unknown[];
}
export interface ChartTransition {
  readonly eventType: string;
  readonly target?: readonly ChartNode[];
  readonly reenter: boolean;
  readonly guard?: unknown;
  readonly actions: readonly unknown[];
}

export const rootOf = (machine: AnyStateMachine): ChartNode => machine.root as unknown as ChartNode;
export const childrenOf = (node: ChartNode): ChartNode[] => Object.values(node.states);
export const descend = (node: ChartNode): ChartNode[] => [node, ...childrenOf(node).flatMap(descend)];
export const transitionsOf = (node: ChartNode): ChartTransition[] => [
  ...[...node.transitions.values()].flat(),
  ...(node.always ?? []),
];

/** `running.thinking`; the root is `any`, since its transitions hold in any state. */
export const pathOf = (root: ChartNode, { id }: ChartNode): string => (id === root.id ? 'any' : id.slice(root.id.length + 1));

export const nameOf = (thing: unknown): string => {
  if (typeof thing === 'string') return thing;
  if (typeof thing !== 'object' || thing === null || !('type' in thing)) return 'a function';
  const params = 'params' in thing && typeof thing.params === 'string' ? ` ${thing.params}` : '';
  return `${thing.type}${params}`;
};
/** The event’s name for readers: `think breaks` for `xstate.error.actor.think`, empty for a transition that needs no event. */
export function eventOf({ eventType }: ChartTransition): string {
  if (eventType === '') return '';
  const failed = /^xstate\.error\.actor\.(?<actor>.+)$/.exec(eventType)?.groups?.actor;
  return failed ? `${failed} breaks` : eventType;
}
const guardOf = ({ guard }: ChartTransition): string => (guard === undefined ? '' : `[${nameOf(guard)}]`);

export interface Way {
  readonly from: ChartNode;
  readonly to: ChartNode;
  readonly labels: readonly string[];
}
/** One way for each pair of states, with the labels of all its transitions. A transition without a target makes no way. */
export function waysOf(root: ChartNode): Way[] {
  const ways = new Map<string, Way>();
  for (const from of descend(root)) {
    for (const transition of transitionsOf(from)) {
      const to = transition.target?.[0];
      if (!to) continue;
      const label = [eventOf(transition), guardOf(transition)].filter(Boolean).join(' ') || 'else';
      const earlier = ways.get(`${from.id} ${to.id}`)?.labels ?? [];
      ways.set(`${from.id} ${to.id}`, { from, to, labels: [...new Set([...earlier, label])] });
    }
  }
  return [...ways.values()];
}
