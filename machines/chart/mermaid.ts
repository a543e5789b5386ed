/** A chart as a Mermaid state diagram. */
import type { AnyStateMachine } from 'xstate';
import { type ChartNode, childrenOf, descend, pathOf, rootOf, waysOf } from './chart.ts';
import { type Marks, markOf, noMarks } from './marks.ts';

/** An id of plain letters, as Mermaid needs it. */
const idOf = (root: ChartNode, node: ChartNode): string => pathOf(root, node).replaceAll(/[^a-z]/gi, '_');

/** The lines of the diagram, beginning with `stateDiagram-v2`. */
export function mermaidOf(machine: AnyStateMachine, marks: Marks = noMarks): string[] {
  const root = rootOf(machine);
  const ways = waysOf(root).map(({ from, to, labels }) => `  ${idOf(root, from)} --> ${idOf(root, to)}: ${labels.join('<br/>')}`);
  const marked = (paths: ReadonlySet<string>) => descend(root).filter((node) => paths.has(pathOf(root, node)));
  const classOf = (name: string, paths: ReadonlySet<string>) =>
    marked(paths).map((node) => `  class ${idOf(root, node)} ${name}`);
  const classes = [...classOf('active', marks.active), ...classOf('passed', marks.passed)];
  return [
    'stateDiagram-v2',
    ...statesOf(root, root, '  ', marks),
    '  state "any state" as any',
    ...ways,
    ...(classes.length > 0
      ? ['  classDef active fill:#0969da,color:#ffffff,stroke-width:3px', '  classDef passed stroke:#0969da,stroke-width:3px']
      : []),
    ...classes,
  ];
}

function statesOf(root: ChartNode, node: ChartNode, indent: string, marks: Marks): string[] {
  const inside = childrenOf(node).flatMap((child) => {
    const mark = markOf(marks, pathOf(root, child));
    const name = `${indent}state "${child.key}${mark && ` ${mark}`}" as ${idOf(root, child)}`;
    if (Object.keys(child.states).length === 0) return [name];
    return [`${name} {`, ...statesOf(root, child, `${indent}  `, marks), `${indent}}`];
  });
  const first = node.initial?.target[0];
  return [...(first ? [`${indent}[*] --> ${idOf(root, first)}`] : []), ...inside];
}
