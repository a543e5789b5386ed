/** Nodes as lines for people: one for each node, and one for each task it holds. */
import type { HeldTask, NodeReport } from '../../bus/messages.ts';
import { ago } from './figures.ts';
import type { Paint } from './paint.ts';
import { oneLine } from './printable.ts';

/** Most tasks that `heldText` names; it counts the rest. */
const mostNamed = 8;

export function nodeLines(nodes: readonly NodeReport[], now: Date, paint: Paint): string[] {
  if (nodes.length === 0) return ['No node is up: cox, cox up or cox worker starts one.'];
  return nodes.flatMap((node) => {
    const { name, host, pid, version, since, types, slots, draining, held, tasks } = node;
    const facts = [
      `${oneLine(host)} pid ${pid}`,
      oneLine(types.join(', '), 400),
      `${slots} ${slots === 1 ? 'slot' : 'slots'}`,
      `up ${ago(since, now)}`,
      `v${oneLine(version)}`,
    ];
    const state = draining ? paint.yellow('draining') : held === 0 ? paint.dim('idle') : paint.cyan(`${held} held`);
    const more = held > tasks.length ? [paint.dim(`    and ${held - tasks.length} more`)] : [];
    return [
      [paint.bold(oneLine(name)), state, ...facts].join(paint.dim(' · ')),
      ...tasks.map((task) => `    ${heldLine(task, now, paint)}`),
      ...more,
    ];
  });
}

const heldLine = ({ id, type, state, step, since }: HeldTask, now: Date, paint: Paint): string =>
  [`${paint.bold(id)} ${oneLine(type)}`, paint.cyan(state), step > 0 ? `step ${step}` : '', `for ${ago(since, now)}`]
    .filter((part) => part !== '')
    .join(paint.dim(' · '));

/** `k3xq.1 (files, acting for 12 s), k3xq.2 (…) and 3 more` */
export function heldText(held: readonly HeldTask[], now: Date): string {
  const named = held
    .slice(0, mostNamed)
    .map(({ id, type, state, since }) => `${id} (${oneLine(type)}, ${state}, for ${ago(since, now)})`);
  return `${named.join(', ')}${held.length > mostNamed ? ` and ${held.length - mostNamed} more` : ''}`;
}
