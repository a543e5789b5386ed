/** The life of a sub-agent as its operator sees it. States and routes come from the chart; this file has the words for them. */
import type { AnyStateMachine } from 'xstate';
import { type ChartNode, childrenOf, pathOf, rootOf } from '../../machines/chart/chart.ts';
import { toneOf } from '../../machines/chart/chart-picture.ts';
import type { Arrow, Box, Picture } from '../../machines/chart/picture.ts';
import { isBrief, isPassedThrough, type Route, routesOf } from '../../machines/chart/routes.ts';

/** State → its caption. */
export const captions: Readonly<Record<string, readonly string[]>> = {
  idle: ['no worker', 'has it yet'],
  running: ['works, step by step'],
  'running.thinking': ['the model writes'],
  'running.acting': ['a tool runs'],
  'awaiting-steer': ['only you can', 'move it on'],
  done: ['with what', 'it found'],
};
/** Route → its words, and the transitions of the chart that make them true. */
export const words: Readonly<Record<string, { readonly says: readonly string[]; readonly by: readonly string[] }>> = {
  'idle → running': { says: ['a worker', 'takes it'], by: ['START'] },
  'running → running': { says: ['you correct it: at once,', 'or at its next step'], by: ['STEER [interruptsNow]'] },
  'running.thinking → running.acting': { says: ['it calls', 'a tool'], by: ['[hasCall]'] },
  'running.acting → running.thinking': { says: ['the tool', 'returned'], by: ['TOOL_RETURNED [returnsCall]'] },
  'running → awaiting-steer': { says: ['it asks, or', 'you pause it'], by: ['[isHeld]'] },
  'awaiting-steer → running': { says: ['you answer', 'or resume it'], by: ['ANSWER [answersWithHelp]', 'RESUME'] },
  'running → done': { says: ['it has an answer'], by: ['[isFinished]'] },
  'awaiting-steer → done': { says: ['you stop it'], by: ['ANSWER [answersStop]'] },
  'any → done': {
    says: ['At any time: you cancel it, or its deadline passes, and it is done.'],
    by: ['CANCEL', 'DEADLINE_PASSED'],
  },
};

const known = <T>(table: Readonly<Record<string, T>>, key: string): T => {
  const found = table[key];
  if (found === undefined) throw new Error(`test/house/life-picture.ts has no words for ${key}, which the chart has`);
  return found;
};
export const keyOf = ({ from, to }: Pick<Route, 'from' | 'to'>): string => `${from} → ${to}`;

export function lifePicture(machine: AnyStateMachine): Picture {
  const root = rootOf(machine);
  const boxesIn = (node: ChartNode): Box[] =>
    childrenOf(node)
      .filter((child) => !isPassedThrough(child) && !isBrief(child))
      .map((child) => {
        const id = pathOf(root, child);
        return { id, tone: toneOf(child), name: child.key, caption: known(captions, id), inside: boxesIn(child) };
      });
  const arrows: Arrow[] = routesOf(root).map(({ from, to }) => ({ from, to, label: known(words, keyOf({ from, to })).says }));
  const notes = arrows.filter(({ from }) => from === 'any').flatMap(({ label }) => label);
  const between = arrows.filter(({ from }) => from !== 'any');
  return {
    title: 'The life of a sub-agent',
    description: [...between.map(({ from, to, label }) => `${from} to ${to}: ${label.join(' ')}.`), ...notes].join(' '),
    boxes: boxesIn(root),
    arrows: between,
    notes,
    direction: 'right',
  };
}
