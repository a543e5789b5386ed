/**
 * The plan for a goal that is about one page. A small model splits everything that it is asked about, and a form that several
 * agents fill in is sent several times. So code makes one task of it, with the words of the goal as they are: for the browser where
 * the goal asks to do something there, else for a kind that only reads pages.
 */
import type { DecomposeInput } from '../../machines/supervisor-context.ts';
import { isFile } from '../tools/workspace.ts';
import { addressesIn, filesIn } from './names-in.ts';
import type { Planned, PlannedKind, PlanOptions } from './plan-request.ts';

type Kinds = readonly Pick<PlannedKind, 'name' | 'tools'>[];
const browsingKind = (kinds: Kinds): string | null =>
  kinds.find(({ tools }) => ['goto', 'click'].every((tool) => tools.includes(tool)))?.name ?? null;
const readingKind = (kinds: Kinds): string | null =>
  kinds.find(({ tools }) => tools.includes('fetch_page') && !tools.includes('goto'))?.name ?? null;

/** Words by which a goal asks to be on a page, and not only to know what it says; in a few languages, as a help. */
const acting =
  /(?<![\p{L}\p{N}])(?:go to|open|visit|browse|navigate|fill|form|click|press|sign|log ?in|register|submit|send|buy|order|book|choose|select|upload|download|screenshot|search for|geh|gehe|öffne|fülle|formular|klick\w*|bestelle|kaufe|va sur|ouvre|remplis|formulaire|ve a|abre|rellena)(?![\p{L}\p{N}])/iu;

/** @returns the kind for the pages of a goal: in a browser, or by reading alone, which needs none; null if there is neither. */
export function kindForPages(goal: string, kinds: Kinds): string | null {
  const [browser, reader] = [browsingKind(kinds), readingKind(kinds)];
  return acting.test(goal) ? (browser ?? reader) : (reader ?? browser);
}

/** A small model would send a goal about files to a page, so it hears of kinds for pages only where an address is named. */
export function withFittingKinds(options: PlanOptions, goal: string): PlanOptions {
  if (addressesIn(goal).length > 0) return options;
  const kinds = options.kinds();
  const unfit = [browsingKind(kinds), readingKind(kinds)];
  return { ...options, kinds: () => options.kinds().filter(({ name }) => !unfit.includes(name)) };
}

/** @returns null where the goal is about no page, about several, or about a file that is not there: that may be one to write. */
export async function planOfPage(
  { instruction, corrections, nodes }: DecomposeInput,
  options: PlanOptions,
): Promise<Planned | null> {
  const goal = [instruction, ...corrections].join('\n');
  const type = kindForPages(goal, options.kinds());
  if (type === null || addressesIn(goal).length !== 1 || addressesIn(instruction).length !== 1) return null;
  for (const name of filesIn(goal)) if (!(await isFile(options.workspace(), name))) return null;
  const key = ['page', ...Array.from({ length: 99 }, (_, n) => `page-${n + 2}`)].find((name) => !Object.hasOwn(nodes, name));
  if (key === undefined) return null;
  return {
    nodes: [{ key, type, instruction, needs: [], after: [], backend: null }],
    reduce: { by: 'concat' },
  };
}
