/**
 * A chart as JSON that `createMachine` takes: a machine that is made of it has the same states and the same transitions, in the
 * same order. Guards, actions and effects are there by name. What is a function in the chart, such as the input of an effect or
 * params that are computed from an event, is left out.
 */
import type { AnyStateMachine } from 'xstate';
import { type ChartNode, type ChartTransition, childrenOf, nameOf, rootOf } from './chart.ts';

export type Named = string | { readonly type: string; readonly params: unknown };
export interface TransitionDefinition {
  readonly target?: string;
  readonly reenter?: true;
  readonly guard?: Named;
  readonly actions?: readonly Named[];
}
type Transitions = readonly TransitionDefinition[];
export interface EffectDefinition {
  readonly id: string;
  readonly src: string;
  readonly onDone?: Transitions;
  readonly onError?: Transitions;
}
export interface StateDefinition {
  readonly type?: 'final' | 'parallel' | 'history';
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly initial?: string;
  readonly entry?: readonly Named[];
  readonly exit?: readonly Named[];
  readonly invoke?: readonly EffectDefinition[];
  readonly on?: Readonly<Record<string, Transitions>>;
  readonly always?: Transitions;
  readonly states?: Readonly<Record<string, StateDefinition>>;
}
export interface ChartDefinition extends StateDefinition {
  readonly id: string;
  readonly version?: string;
}

/** @param version of the checkpoints of the chart, where it has one. */
export function definitionOf(machine: AnyStateMachine, version?: number): ChartDefinition {
  return { id: machine.id, ...(version !== undefined && { version: String(version) }), ...stateOf(rootOf(machine)) };
}

function stateOf(node: ChartNode): StateDefinition {
  const { type, description, tags, initial, entry, exit, invoke, always = [] } = node;
  const first = initial?.target[0]?.key;
  const effects = invoke.map(({ id, src }): EffectDefinition => {
    const [onDone, onError] = [`xstate.done.actor.${id}`, `xstate.error.actor.${id}`].map((event) => transitionsOn(node, event));
    return { id, src: nameOf(src), ...withSome({ onDone, onError }) };
  });
  const ofEffects = new Set(invoke.flatMap(({ id }) => [`xstate.done.actor.${id}`, `xstate.error.actor.${id}`]));
  const events = [...node.transitions.keys()].filter((event) => !ofEffects.has(event));
  const on = Object.fromEntries(events.map((event) => [event, transitionsOn(node, event)]));
  const states = Object.fromEntries(childrenOf(node).map((child) => [child.key, stateOf(child)]));
  return {
    ...(type !== 'atomic' && type !== 'compound' && { type: type as 'final' }),
    ...(description !== undefined && { description }),
    ...withSome({ tags }),
    ...(first !== undefined && { initial: first }),
    ...withSome({ entry: entry.map(named), exit: exit.map(named), invoke: effects }),
    ...(events.length > 0 && { on }),
    ...withSome({ always: always.map(transitionOf) }),
    ...(childrenOf(node).length > 0 && { states }),
  };
}

const transitionsOn = (node: ChartNode, event: string): Transitions => (node.transitions.get(event) ?? []).map(transitionOf);

function transitionOf({ target, reenter, guard, actions }: ChartTransition): TransitionDefinition {
  const [to] = target ?? [];
  return {
    ...(to && { target: `#${to.id}` }),
    ...(to && reenter && { reenter }),
    ...(guard !== undefined && { guard: named(guard) }),
    ...withSome({ actions: actions.map(named) }),
  };
}

/** A guard or an action by its name, with its params if they are no function. */
function named(thing: unknown): Named {
  const type = typeof thing === 'object' && thing !== null && 'type' in thing ? String(thing.type) : nameOf(thing);
  const params = typeof thing === 'object' && thing !== null && 'params' in thing ? thing.params : undefined;
  return params === undefined || typeof params === 'function' ? type : { type, params };
}

/** The lists that are not empty. */
function withSome<T extends Record<string, readonly unknown[] | undefined>>(lists: T): { [K in keyof T]?: NonNullable<T[K]> } {
  const some = Object.entries(lists).filter(([, list]) => list !== undefined && list.length > 0);
  return Object.fromEntries(some) as { [K in keyof T]?: NonNullable<T[K]> };
}
