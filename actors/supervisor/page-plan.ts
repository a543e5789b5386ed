/**
 * The plan for a goal that is about one page. A small model splits everything that it is asked about, and a form that several
 * agents fill in is sent several times. So code makes one task for the browser of it, with the words of the goal as they are.
 */
import type { DecomposeInput } from '../../machines/supervisor-context.ts';
import { isFile } from '../tools/workspace.ts';
import { addressesIn, filesIn } from './names-in.ts';
import type { Planned, PlannedKind, PlanOptions } from './plan-request.ts';

/** @returns the kind that works on pages in a browser; null if there is none. */
export const browsingKind = (kinds: readonly Pick<PlannedKind, 'name' | 'tools'>[]): string | null =>
  kinds.find(({ tools }) => ['goto', 'click'].every((tool) => tools.includes(tool)))?.name ?? null;

/** @returns null where the goal is about no page, about several, or about a file that is not there: that may be one to write. */
export async function planOfPage(
  { instruction, corrections, nodes }: DecomposeInput,
  options: PlanOptions,
): Promise<Planned | null> {
  const type = browsingKind(options.kinds());
  const goal = [instruction, ...corrections].join('\n');
  if (type === null || addressesIn(goal).length !== 1 || addressesIn(instruction).length !== 1) return null;
  for (const name of filesIn(goal)) if (!(await isFile(options.workspace(), name))) return null;
  const key = ['page', ...Array.from({ length: 99 }, (_, n) => `page-${n + 2}`)].find((name) => !Object.hasOwn(nodes, name));
  if (key === undefined) return null;
  return {
    nodes: [{ key, type, instruction, needs: [], after: [], backend: null }],
    reduce: { by: 'concat' },
  };
}
