/** Which page the address names: `#/goal/k3xq.0`. Every place of the console has an address of its own, also for the way back. */
import { signal } from '@preact/signals';

export const pageNames = ['goal', 'inbox', 'crew', 'talk', 'roster', 'task'] as const;
export type PageName = (typeof pageNames)[number];

export interface Route {
  readonly page: PageName;
  /** A task id or another name; null: none is named. */
  readonly of: string | null;
}

export const route = signal<Route>(parse(location.hash));
/** Address of a page: `href={to('task', id)}`. */
export const to = (page: PageName, of?: string | null): string => `#/${page}${of ? `/${encodeURIComponent(of)}` : ''}`;

export function go(page: PageName, of?: string | null): void {
  location.hash = to(page, of);
}

window.addEventListener('hashchange', () => {
  route.value = parse(location.hash);
});

function parse(hash: string): Route {
  const [page, of] = hash.replace(/^#\/?/, '').split('/');
  const known = pageNames.find((name) => name === page);
  return known ? { page: known, of: of ? decoded(of) : null } : { page: 'goal', of: null };
}

function decoded(word: string): string {
  try {
    return decodeURIComponent(word);
  } catch {
    return word;
  }
}
