/** Draws a chart as a picture with all its states and all ways between them. */
import type { AnyStateMachine } from 'xstate';
import { type ChartNode, childrenOf, descend, pathOf, rootOf, waysOf } from './chart.ts';
import { type Marks, markOf, noMarks, wayKey } from './marks.ts';
import type { Arrow, Box, Picture, Tone } from './picture.ts';

/** The tone of a state. A state that runs an effect, or has states inside, works. */
export function toneOf(node: ChartNode): Tone {
  if (node.type === 'final') return 'ends';
  if (node.key === 'awaiting-steer') return 'waits';
  return node.invoke.length > 0 || childrenOf(node).length > 0 ? 'works' : 'plain';
}

const firstOf = (node: ChartNode): ChartNode | undefined => node.initial?.target[0];

/** @param marks of a live task. Default: none. */
export function chartPicture(machine: AnyStateMachine, direction: Picture['direction'], marks: Marks = noMarks): Picture {
  const root = rootOf(machine);
  const boxesIn = (node: ChartNode): Box[] => [
    ...(firstOf(node) ? [{ id: `start of ${node.id}`, tone: 'start' as const, name: '', caption: [], inside: [] }] : []),
    ...childrenOf(node).map((child) => ({
      id: pathOf(root, child),
      tone: toneOf(child),
      name: child.key,
      caption: [markOf(marks, pathOf(root, child))].filter(Boolean),
      inside: boxesIn(child),
      ...markedBox(marks, pathOf(root, child)),
    })),
  ];
  const starts = descend(root).flatMap((node) => {
    const first = firstOf(node);
    return first ? [{ from: `start of ${node.id}`, to: pathOf(root, first), label: [] }] : [];
  });
  const ways = waysOf(root).map(({ from, to, labels }): Arrow => {
    const ends = { from: pathOf(root, from), to: pathOf(root, to) };
    return { ...ends, label: labels, ...(marks.taken.has(wayKey(ends.from, ends.to)) && { taken: true }) };
  });
  const anyState = ways.some(({ from }) => from === 'any')
    ? [{ id: 'any', tone: 'any' as const, name: 'any state', caption: [], inside: [] }]
    : [];
  return {
    title: `The chart ${machine.id}`,
    description: [
      ...[...marks.active].map((path) => `The task is in ${path}.`),
      ...ways.map(({ from, to, label }) => `${from} to ${to}: ${label.join(', ')}.`),
    ].join(' '),
    boxes: [...anyState, ...boxesIn(root)],
    arrows: [...starts, ...ways],
    notes: [],
    direction,
  };
}

const markedBox = ({ active, passed }: Marks, path: string): Pick<Box, 'mark'> =>
  active.has(path) ? { mark: 'active' } : passed.has(path) ? { mark: 'passed' } : {};
