/** A task tree as lines: for each task its kind, state, backend, steps, cost and instruction. */
import type { TreeNode } from '../../bus/messages.ts';
import { ordinalOf, type TaskId } from '../../bus/task-id.ts';
import { effectTexts } from './effects.ts';
import { usageText } from './figures.ts';
import { type Paint, plain } from './paint.ts';
import { oneLine } from './printable.ts';
import { stateText } from './status.ts';

export function treeLines(nodes: readonly TreeNode[], paint: Paint, columns = 120): string[] {
  const known = new Set(nodes.map((node) => node.id));
  const below = new Map<TaskId | null, TreeNode[]>();
  for (const node of nodes) {
    // The root of a subtree may have a parent that is not in `nodes`.
    const parent = node.parent !== null && known.has(node.parent) ? node.parent : null;
    below.set(parent, [...(below.get(parent) ?? []), node]);
  }
  const lines: string[] = [];
  const add = (parent: TaskId | null, indent: string): void => {
    const children = (below.get(parent) ?? []).sort(byOrder);
    children.forEach((node, at) => {
      const last = at === children.length - 1;
      const branch = parent === null ? '' : last ? '└─ ' : '├─ ';
      lines.push(paint.dim(indent + branch) + nodeLine(node, paint, columns - indent.length - branch.length));
      if (node.id !== null) add(node.id, parent === null ? indent : indent + (last ? '   ' : '│  '));
    });
  };
  add(null, '');
  return lines;
}

/** Planned sub-tasks have no id yet. They come last, in the order of the plan. */
const byOrder = (a: TreeNode, b: TreeNode): number =>
  (a.id === null ? Number.MAX_SAFE_INTEGER : ordinalOf(a.id)) - (b.id === null ? Number.MAX_SAFE_INTEGER : ordinalOf(b.id));

export function nodeLine(node: TreeNode, paint: Paint, columns: number): string {
  const facts = [
    node.incomplete ? `incomplete (${oneLine(node.incomplete, 40)})` : '',
    node.backend ? `on ${oneLine(node.backend)}` : '',
    node.steps > 0 ? `${node.steps} ${node.steps === 1 ? 'step' : 'steps'}` : '',
    usageText(node.usage),
    node.question && node.outcome === null ? `asks ${oneLine(node.question.id)}` : '',
    ...effectTexts(node, plain, 2),
    ...(node.made?.length ? [`made ${node.made.length} ${node.made.length === 1 ? 'artifact' : 'artifacts'}`] : []),
  ].filter((fact) => fact !== '');
  const planned = node.id === null && node.outcome === null;
  const [name, ...rest] = [node.id, node.key].filter((word) => word !== null);
  const key = rest.map((word) => ` ${oneLine(word, 64)}`).join('');
  const type = oneLine(node.type);
  const head = [name + key, type, planned ? 'planned' : (node.outcome ?? node.state), ...facts].join(' · ');
  const left = columns - head.length - 4;
  const about = left >= 12 ? ` ${paint.dim(`“${oneLine(node.instruction, left)}”`)}` : '';
  return (
    [paint.bold(oneLine(name ?? '', 64)) + key, type, planned ? paint.dim('planned') : stateText(node, paint), ...facts].join(
      paint.dim(' · '),
    ) + about
  );
}
