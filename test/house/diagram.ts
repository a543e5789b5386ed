/** A chart as a page: a Mermaid state diagram and a table of all transitions, both read from the machine itself. */
import type { AnyStateMachine } from 'xstate';
import { type ChartNode, descend, eventOf, nameOf, pathOf, rootOf, transitionsOf } from '../../machines/chart/chart.ts';
import { mermaidOf } from '../../machines/chart/mermaid.ts';

function table(root: ChartNode): string[] {
  const rows = descend(root).flatMap((node) =>
    transitionsOf(node).map((transition) => {
      const [target] = transition.target ?? [];
      const cells = [
        pathOf(root, node),
        eventOf(transition) || 'at once',
        transition.guard === undefined ? '' : nameOf(transition.guard),
        transition.actions.map(nameOf).join(', '),
        target ? pathOf(root, target) : 'stays',
      ];
      return `| ${cells.join(' | ')} |`;
    }),
  );
  return ['| in | on | if | does | goes to |', '| --- | --- | --- | --- | --- |', ...rows];
}

function descriptions(root: ChartNode): string[] {
  return descend(root).flatMap((node) => {
    const effects = node.invoke.map(({ src }) => `\`${nameOf(src)}\``);
    if (node === root || (!node.description && effects.length === 0)) return [];
    const runs = effects.length > 0 ? ` Runs ${effects.join(' and ')}.` : '';
    return [`- **${pathOf(root, node)}**: ${node.description ?? ''}${runs}`.replace(':  ', ': ')];
  });
}

/** @param source The file of the chart, relative to the root of the house. */
export function pageOf(machine: AnyStateMachine, source: string): string {
  const root = rootOf(machine);
  const lines = [
    `# The chart \`${machine.id}\``,
    '',
    `Generated from [\`${source}\`](../../${source}) by \`node .ci/write-diagrams.mjs\`; a test keeps it up to date.`,
    'A state within another tries its own transitions first; `any` is what holds in every state. Rows of one event are tried from the top.',
    '',
    '```mermaid',
    ...mermaidOf(machine),
    '```',
    '',
    '## States',
    '',
    ...descriptions(root),
    '',
    '## All transitions',
    '',
    ...table(root),
  ];
  return `${lines.join('\n')}\n`;
}
