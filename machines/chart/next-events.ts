/** The transitions that lead on from a state of a chart, and which of them an event could take now. */
import type { AnyMachineSnapshot, AnyStateMachine } from 'xstate';
import { type ChartNode, type ChartTransition, descend, eventOf, nameOf, pathOf, rootOf } from './chart.ts';
import { wordsOfGuard } from './guard-words.ts';
import { samplesOf } from './sample-events.ts';

export interface NextEvent {
  readonly event: string;
  readonly target: string | null;
  readonly guard?: string;
  readonly open: boolean;
  readonly why?: string;
}
type Guard = (args: { context: unknown; event: unknown }, params: unknown) => boolean;

/** The active states of a snapshot, outermost first, without the root. */
export function activeStates(machine: AnyStateMachine, value: unknown): ChartNode[] {
  const root = rootOf(machine);
  return descend(root).filter((node) => node !== root && isIn(pathOf(root, node).split('.'), value));
}
function isIn([key, ...rest]: readonly string[], value: unknown): boolean {
  if (key === undefined) return true;
  if (typeof value === 'string') return value === key && rest.length === 0;
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key) && isIn(rest, value[key as keyof typeof value]);
}

/** Innermost first, as XState tries them. A machine that has ended takes no event. */
export function nextEvents(machine: AnyStateMachine, { value, context }: { value: unknown; context: object }): NextEvent[] {
  const root = rootOf(machine);
  const active = activeStates(machine, value);
  if (active.some(({ type }) => type === 'final')) return [];
  const snapshot = machine.resolveState({ value: value as never, context: context as never }) as AnyMachineSnapshot;
  const events = [...new Set([...active, root].flatMap(({ transitions }) => [...transitions.keys()]))];
  const chosen = new Set<ChartTransition>(events.flatMap((event) => taken(machine, snapshot, event)));
  return [...active.toReversed(), root].flatMap((node) =>
    [...node.transitions.values(), node.always ?? []].flat().map((transition): NextEvent => {
      const open = chosen.has(transition);
      const guard = transition.guard === undefined ? undefined : nameOf(transition.guard);
      const holds = open || guard === undefined || couldHold(machine, guard, transition, snapshot);
      const words = guard === undefined ? undefined : wordsOfGuard(guard, holds);
      const why = open || !holds ? words : 'another transition takes this event first';
      const [target] = transition.target ?? [];
      return {
        event: eventOf(transition),
        target: target ? pathOf(root, target) : null,
        ...(guard !== undefined && { guard }),
        open,
        ...(why !== undefined && { why }),
      };
    }),
  );
}

/** The transitions that samples of an event take. A guard may break on a context that is not what it expects: it does not hold. */
function taken(machine: AnyStateMachine, snapshot: AnyMachineSnapshot, type: string): ChartTransition[] {
  return samplesOf(type, snapshot.context).flatMap((event) => {
    try {
      return (machine.getTransitionData(snapshot, event) ?? []) as unknown as ChartTransition[];
    } catch {
      return [];
    }
  });
}

function couldHold(
  machine: AnyStateMachine,
  name: string,
  { eventType }: ChartTransition,
  { context }: AnyMachineSnapshot,
): boolean {
  const guard = (machine.implementations.guards as Readonly<Record<string, Guard | undefined>>)[name];
  return samplesOf(eventType, context).some((event) => {
    try {
      return guard?.({ context, event }, undefined) === true;
    } catch {
      return false;
    }
  });
}
