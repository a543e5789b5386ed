/** Names that a command line or a plan gives, by the roster here: one that it has not is far more often mistyped than only known elsewhere. */
import type { Roster } from '../roster/schema.ts';
import { usageError } from './errors.ts';
import { typesOf } from './host.ts';

export interface Known {
  readonly roster: Roster;
  readonly source: { readonly file: string };
}

/** @throws CoxError `unknown-type`. @param where what names it, as in `plan.yaml: a: `. */
export function checkType({ roster, source }: Known, type: string, where = ''): void {
  const types = typesOf(roster);
  if (types.includes(type)) return;
  const what = `${where}There is no kind of task "${type}" by the roster ${source.file}.`;
  throw usageError(what, `There are: ${types.join(', ')}.`, 'unknown-type');
}

/** @throws CoxError `unknown-backend`. */
export function checkBackend({ roster, source }: Known, backend: string | null | undefined, where = ''): void {
  const backends = Object.keys(roster.backends);
  if (backend == null || backends.includes(backend)) return;
  const what = `${where}There is no backend "${backend}" by the roster ${source.file}.`;
  throw usageError(what, `There are: ${backends.join(', ')}; see cox menu.`, 'unknown-backend');
}
