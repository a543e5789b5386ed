/** Marks in the picture of a chart: where a task is, which states it went through, and on which ways. */
import type { AnyStateMachine } from 'xstate';
import { type ChartNode, descend, pathOf, rootOf, type Way, waysOf } from './chart.ts';
import { isPassedThrough } from './routes.ts';

export interface Marks {
  /** Paths of the states that are active now. */
  readonly active: ReadonlySet<string>;
  /** Paths of the states that were active, with those around them. */
  readonly passed: ReadonlySet<string>;
  /** Ways that were taken: `from → to`. */
  readonly taken: ReadonlySet<string>;
}
export const noMarks: Marks = { active: new Set(), passed: new Set(), taken: new Set() };

export const wayKey = (from: string, to: string): string => `${from} → ${to}`;
/** The mark of a state in words; empty if it has none. */
export const markOf = ({ active, passed }: Marks, path: string): string =>
  active.has(path) ? '● is here' : passed.has(path) ? '✓ was here' : '';

interface Went {
  readonly states: readonly string[];
  /** Oldest first. */
  readonly path: readonly { readonly path: string }[];
}

export function marksOf(machine: AnyStateMachine, { states, path }: Went): Marks {
  const root = rootOf(machine);
  const nodes = new Map(descend(root).map((node) => [pathOf(root, node), node] as const));
  const ways = waysOf(root);
  const went = path.flatMap((each) => nodes.get(each.path) ?? []);
  const taken = went.slice(1).flatMap((to, i) => between(ways, went[i]!, to));
  const passed = [...went, ...taken.flatMap(({ from, to }) => [from, to])].flatMap(lineOf);
  return {
    active: new Set(states),
    passed: new Set(passed.map((node) => pathOf(root, node)).filter((each) => each !== 'any' && !states.includes(each))),
    taken: new Set(taken.map(({ from, to }) => wayKey(pathOf(root, from), pathOf(root, to)))),
  };
}

const lineOf = (node: ChartNode): ChartNode[] => (node.parent ? [...lineOf(node.parent), node] : []);

/** A status tells no state that is left at once, so the way from one told state to the next may lead through such a one. */
function between(ways: readonly Way[], from: ChartNode, to: ChartNode): Way[] {
  const around = lineOf(from);
  const enters = (way: Way) => way.to === to || (lineOf(to).includes(way.to) && !around.includes(way.to));
  const direct = ways.filter((way) => way.from === from && enters(way));
  if (direct.length > 0) return direct;
  const second = ways.filter((way) => isPassedThrough(way.from) && enters(way));
  const leadsOn = (way: Way) => second.some((next) => next.from === way.to);
  const own = ways.filter((way) => way.from === from && leadsOn(way));
  // Only where the state itself has no such way, one of a state around it was taken.
  const first = own.length > 0 ? own : ways.filter((way) => around.includes(way.from) && leadsOn(way));
  return [...first, ...second.filter((next) => first.some((way) => way.to === next.from))];
}
