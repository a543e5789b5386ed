/** A chart in the language of Graphviz. A state with states inside is a cluster; an arrow to or from it ends at its border. */
import type { AnyStateMachine } from 'xstate';
import { type ChartNode, childrenOf, pathOf, rootOf, waysOf } from './chart.ts';
import { type Marks, markOf, noMarks, wayKey } from './marks.ts';

export function dotOf(machine: AnyStateMachine, direction: 'down' | 'right', marks: Marks = noMarks): string[] {
  const root = rootOf(machine);
  const ways = waysOf(root);
  const edges = ways.map(({ from, to, labels }) => {
    const taken = marks.taken.has(wayKey(pathOf(root, from), pathOf(root, to)));
    const options = [
      `label=${quoted(labels.join('\n'))}`,
      ...(childrenOf(from).length > 0 && from !== root ? [`ltail=${quoted(clusterOf(root, from))}`] : []),
      ...(childrenOf(to).length > 0 ? [`lhead=${quoted(clusterOf(root, to))}`] : []),
      ...(taken ? ['penwidth=3', 'color="#0969da"'] : []),
    ];
    return `  ${quoted(anchorOf(root, from))} -> ${quoted(anchorOf(root, to))} [${options.join(', ')}]`;
  });
  return [
    `digraph ${quoted(machine.id)} {`,
    `  graph [compound=true, rankdir=${direction === 'down' ? 'TB' : 'LR'}, fontname="sans-serif"]`,
    '  node [shape=box, style=rounded, fontname="sans-serif"]',
    '  edge [fontname="sans-serif", fontsize=10]',
    ...statesOf(root, root, '  ', marks),
    ...(ways.some(({ from }) => from === root) ? ['  "any" [label="any state", style="rounded,dashed"]'] : []),
    ...edges,
    '}',
  ];
}

function statesOf(root: ChartNode, node: ChartNode, indent: string, marks: Marks): string[] {
  const first = node.initial?.target[0];
  const start = `start of ${pathOf(root, node)}`;
  const begins = first
    ? [`${indent}${quoted(start)} [shape=point, width=0.15]`, `${indent}${startArrow(root, start, first)}`]
    : [];
  const inside = childrenOf(node).flatMap((child) => {
    const path = pathOf(root, child);
    const mark = markOf(marks, path);
    const label = quoted(mark ? `${child.key}\n${mark}` : child.key);
    const look = [
      ...(marks.active.has(path) ? ['penwidth=3', 'color="#0969da"'] : []),
      ...(marks.passed.has(path) ? ['penwidth=2', 'color="#0969da"'] : []),
    ];
    if (childrenOf(child).length === 0) {
      const style = child.type === 'final' ? ['peripheries=2'] : [];
      return [`${indent}${quoted(path)} [${[`label=${label}`, ...style, ...look].join(', ')}]`];
    }
    return [
      `${indent}subgraph ${quoted(clusterOf(root, child))} {`,
      `${indent}  graph [${[`label=${label}`, ...look].join(', ')}]`,
      ...statesOf(root, child, `${indent}  `, marks),
      `${indent}}`,
    ];
  });
  return [...begins, ...inside];
}

const clusterOf = (root: ChartNode, node: ChartNode): string => `cluster ${pathOf(root, node)}`;
/** The node at which an arrow to or from a cluster begins or ends. */
function anchorOf(root: ChartNode, node: ChartNode): string {
  const [child] = node === root ? [] : childrenOf(node);
  return child ? anchorOf(root, child) : pathOf(root, node);
}
const startArrow = (root: ChartNode, start: string, first: ChartNode): string => {
  const head = childrenOf(first).length > 0 ? ` [lhead=${quoted(clusterOf(root, first))}]` : '';
  return `${quoted(start)} -> ${quoted(anchorOf(root, first))}${head}`;
};
const quoted = (text: string): string => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
