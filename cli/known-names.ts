/**
 * Checks the kinds and backends named by a command line or a plan against the local roster. Another node's roster may know more
 * names, but an unknown name is far more often mistyped.
 */
import type { Roster } from '../roster/schema.ts';
import { usageError } from './errors.ts';
import { typesOf } from './hosted-node.ts';

export interface Known {
  readonly roster: Roster;
  readonly source: { readonly file: string };
}

/**
 * @param where the place of the name, as a prefix for the message: `plan.yaml: a: `.
 * @throws CoxError `unknown-type`.
 */
export function checkType({ roster, source }: Known, type: string, where = ''): void {
  const types = typesOf(roster);
  if (types.includes(type)) return;
  const what = `${where}There is no kind of task "${type}" in the roster ${source.file}.`;
  throw usageError(what, `There are: ${types.join(', ')}.`, 'unknown-type');
}

/** @throws CoxError `unknown-backend`. Null and undefined name no backend and are accepted. */
export function checkBackend({ roster, source }: Known, backend: string | null | undefined, where = ''): void {
  const backends = Object.keys(roster.backends);
  if (backend == null || backends.includes(backend)) return;
  const what = `${where}There is no backend "${backend}" in the roster ${source.file}.`;
  throw usageError(what, `There are: ${backends.join(', ')}; see cox menu.`, 'unknown-backend');
}
