/** The exported definition of a machine as a picture of boxes and arrows, which cli/chart/layout.ts places. */
import type { Arrow, Box, Picture, Tone } from '../../../../machines/chart/picture.ts';

/** As much of an exported chart as a picture needs; a node may send more. */
interface Transition {
  readonly target?: string;
  readonly guard?: unknown;
}
interface State {
  readonly type?: string;
  readonly initial?: string;
  readonly on?: Readonly<Record<string, readonly Transition[]>>;
  readonly always?: readonly Transition[];
  readonly invoke?: readonly {
    readonly src: string;
    readonly onDone?: readonly Transition[];
    readonly onError?: readonly Transition[];
  }[];
  readonly states?: Readonly<Record<string, State>>;
}
export type Definition = State & { readonly id: string };

/** Labels of one arrow; the rest is counted. The table of next events lists what leads on from the present state. */
const mostLabels = 4;
/** Room for what the live state says in a box. */
export const liveCaption = '● now · 99 times';

export function pictureOf(definition: Definition): Picture {
  const arrows: Arrow[] = [];
  const boxes = boxesOf(definition, '');
  const ways = new Map<string, { from: string; to: string; label: string[] }>();
  const visit = (state: State, path: string) => {
    if (state.initial !== undefined) arrows.push({ from: `start of ${path}`, to: joined(path, state.initial), label: [] });
    for (const [event, { target }] of transitionsOf(state)) {
      const to = target?.slice(target.indexOf('.') + 1);
      if (to === undefined || !target!.includes('.') || to === path) continue;
      const from = path === '' ? 'any' : path;
      const way = ways.get(`${from} ${to}`) ?? { from, to, label: [] };
      if (!way.label.includes(event)) way.label.push(event);
      ways.set(`${from} ${to}`, way);
    }
    for (const [key, child] of Object.entries(state.states ?? {})) visit(child, joined(path, key));
  };
  visit(definition, '');
  const all = [...ways.values()].map(({ from, to, label }) => ({
    from,
    to,
    label: shortened(label.filter((word) => word !== '')),
  }));
  const any: Box[] = all.some(({ from }) => from === 'any') ? [box('any', 'any', 'any state', [])] : [];
  return {
    title: `The chart ${definition.id}`,
    description: all.map(({ from, to, label }) => `${from} to ${to}: ${label.join(', ') || 'at once'}.`).join(' '),
    boxes: [...any, ...boxes],
    arrows: [...arrows, ...all],
    notes: [],
    direction: 'down',
  };
}

const joined = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`);
const shortened = (label: readonly string[]): string[] =>
  label.length <= mostLabels ? [...label] : [...label.slice(0, mostLabels - 1), `and ${label.length - mostLabels + 1} more`];

const box = (id: string, tone: Tone, name: string, inside: readonly Box[]): Box => ({
  ...{ id, tone, name, inside },
  caption: tone === 'start' || tone === 'any' || inside.length > 0 ? [] : [liveCaption],
});

function boxesOf(state: State, path: string): Box[] {
  const start = state.initial === undefined ? [] : [box(`start of ${path}`, 'start', '', [])];
  const inside = Object.entries(state.states ?? {}).map(([key, child]) => {
    const at = joined(path, key);
    return box(at, toneOf(key, child), key, boxesOf(child, at));
  });
  return [...start, ...inside];
}

function toneOf(key: string, { type, invoke = [], states }: State): Tone {
  if (type === 'final') return 'ends';
  if (key === 'awaiting-steer') return 'waits';
  return invoke.length > 0 || states ? 'works' : 'plain';
}

function transitionsOf({ on = {}, always = [], invoke = [] }: State): [string, Transition][] {
  const ofEffects = invoke.flatMap(({ src, onDone = [], onError = [] }) => [
    ...onDone.map((each) => [`${src} ends`, each] as [string, Transition]),
    ...onError.map((each) => [`${src} fails`, each] as [string, Transition]),
  ]);
  const ofEvents = Object.entries(on).flatMap(([event, all]) => all.map((each) => [event, each] as [string, Transition]));
  return [...ofEvents, ...ofEffects, ...always.map((each) => ['', each] as [string, Transition])];
}
