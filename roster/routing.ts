/**
 * Chooses the backend for a piece of work: the one that was named, or else the cheapest that can do it, in rotation among equally
 * cheap ones. Every decision gives its reason, and for each other backend the reason why it was not chosen.
 */
import type { Tier } from './backend-schema.ts';
import type { MenuEntry } from './menu.ts';
import type { Roster } from './schema.ts';

export interface Need {
  /** The backend must have all of these in its `good_at`; `vision: true` counts as one of them. */
  readonly needs: readonly string[];
  /** A backend that has more of these comes before a cheaper one. Default: none. */
  readonly prefers?: readonly string[];
  /** Name of the backend. If it is set, `needs`, tiers and cost are ignored. */
  readonly backend?: string | null;
  /** The backend must be able to orchestrate. */
  readonly orchestrate?: boolean;
  /** The work is a sub-task of a goal, which a backend with `can_delegate: false` never gets. */
  readonly isSubTask?: boolean;
  /** Tokens. A backend whose context is unknown is assumed to have enough. */
  readonly minContext?: number;
  /** Names of backends to leave out, because they have failed at this work. */
  readonly not?: readonly string[];
}
export interface Loser {
  readonly backend: string;
  readonly why: string;
}
export type Route =
  | { readonly backend: string; readonly why: string; readonly losers: readonly Loser[] }
  | { readonly backend: null; readonly why: string; readonly losers: readonly Loser[] };

const tierOrder: readonly Tier[] = ['local', 'subscription', 'api'];

/** @param turn returns how often one of these equally cheap backends was chosen before, from 0 on. */
export function chooseBackend(
  need: Need,
  menu: readonly MenuEntry[],
  routing: Roster['routing'],
  turn: (equals: readonly string[]) => number,
): Route {
  if (need.backend) return named(need.backend, need, menu);
  const losers: Loser[] = [];
  const able = menu.filter((entry) => {
    const why = lacks(entry, need) ?? outside(entry, routing.tiers) ?? blocked(entry, need);
    if (why) losers.push({ backend: entry.name, why });
    return why === null;
  });
  const order = (a: MenuEntry, b: MenuEntry): number => unmet(a, need).length - unmet(b, need).length || byPrice(a, b);
  const best = able.toSorted(order)[0];
  if (!best) return { backend: null, why: `no backend can do it${wanted(need)}: ${list(losers)}`, losers };
  const equals = able.filter((entry) => order(entry, best) === 0);
  const chosen = equals[routing.rotate ? turn(equals.map((entry) => entry.name)) % equals.length : 0]!;
  for (const entry of able) if (entry !== chosen) losers.push({ backend: entry.name, why: whyLost(entry, chosen, equals, need) });
  return { backend: chosen.name, why: reason(chosen, able, equals, need), losers };
}

function named(name: string, need: Need, menu: readonly MenuEntry[]): Route {
  const losers = menu
    .filter((entry) => entry.name !== name)
    .map((entry) => ({ backend: entry.name, why: `${name} was asked for` }));
  const entry = menu.find((it) => it.name === name);
  if (!entry)
    return {
      backend: null,
      why: `${name} was asked for, but is not in the roster (${menu.map((it) => it.name).join(', ')})`,
      losers,
    };
  const why = need.orchestrate && !entry.canOrchestrate ? 'it cannot orchestrate' : blocked(entry, need);
  return why
    ? { backend: null, why: `${name} was asked for, but ${why}`, losers }
    : { backend: name, why: 'it was asked for', losers };
}

const isCapable = ({ goodAt, vision }: MenuEntry, what: string): boolean =>
  goodAt.includes(what) || (what === 'vision' && vision);

const unmet = (entry: MenuEntry, { prefers = [] }: Need): string[] => prefers.filter((it) => !isCapable(entry, it));

function whyLost(entry: MenuEntry, chosen: MenuEntry, equals: readonly MenuEntry[], need: Need): string {
  if (equals.includes(entry)) return 'equally cheap, not the next in rotation';
  const missing = unmet(entry, need);
  return missing.length > unmet(chosen, need).length ? `it lacks ${missing.join(', ')}, which is preferred` : 'dearer';
}

function lacks(entry: MenuEntry, { needs, orchestrate }: Need): string | null {
  if (orchestrate && !entry.canOrchestrate) return 'it cannot orchestrate';
  const missing = needs.filter((it) => !isCapable(entry, it));
  return missing.length > 0 ? `it is not said to be good at ${missing.join(', ')}` : null;
}

const outside = (entry: MenuEntry, tiers: readonly Tier[]): string | null =>
  tiers.includes(entry.tier) ? null : `its tier ${entry.tier} is not among \`routing.tiers\``;

function blocked(entry: MenuEntry, { minContext = 0, not = [], isSubTask }: Need): string | null {
  if (not.includes(entry.name)) return 'it was left out';
  if (isSubTask && entry.canDelegate === false) return 'it gets no sub-tasks (`can_delegate: false`)';
  if (entry.context !== null && entry.context < minContext)
    return `its context of ${entry.context} tokens is too small for ${minContext}`;
  return entry.why;
}

/** Cost decides, then the tier: of two equally cheap backends the more local one comes first. An unknown cost is the highest. */
const byPrice = (a: MenuEntry, b: MenuEntry): number => {
  const [x, y] = [price(a), price(b)];
  return x === y ? tierOrder.indexOf(a.tier) - tierOrder.indexOf(b.tier) : x - y;
};
const price = ({ cost }: MenuEntry): number => (cost ? cost.input + cost.output : Number.MAX_VALUE);

const wanted = ({ needs, orchestrate }: Need): string => {
  const parts = [...(needs.length > 0 ? [`needs ${needs.join(', ')}`] : []), ...(orchestrate ? ['must orchestrate'] : [])];
  return parts.length > 0 ? ` (${parts.join('; ')})` : '';
};
const list = (losers: readonly Loser[]): string => losers.map(({ backend, why }) => `${backend}: ${why}`).join('; ');

function reason(chosen: MenuEntry, able: readonly MenuEntry[], equals: readonly MenuEntry[], need: Need): string {
  const missing = unmet(chosen, need);
  const has = (need.prefers ?? []).filter((it) => !missing.includes(it));
  const fit = [
    need.needs.length > 0 ? `good at ${need.needs.join(', ')}` : 'can do it',
    ...(has.length > 0 ? [`has ${has.join(', ')}, which is preferred`] : []),
    ...(missing.length > 0 ? [`no backend with ${missing.join(', ')} can take it`] : []),
  ].join(', ');
  if (able.length === 1) return `${fit}, the only one available`;
  const cost = chosen.cost ? `$${chosen.cost.input + chosen.cost.output} per million tokens in and out` : 'cost unknown';
  return equals.length > 1
    ? `${fit}, the next in rotation among ${equals.length} equally cheap (${cost})`
    : `${fit}, the cheapest of ${able.length} (${cost})`;
}
