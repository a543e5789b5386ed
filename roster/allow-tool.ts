/** Adds a tool to `tools.allowed` in the text of a roster, as an edit of it (edit-roster.ts). */
import { isDeepStrictEqual } from 'node:util';
import { withEdits } from './edit-roster.ts';
import { RosterError } from './errors.ts';
import { parseRoster } from './load.ts';

export interface ChangedRoster {
  readonly text: string;
  /** The changed line, counted from 1, and what it says now. */
  readonly line: number;
  readonly says: string;
}

/**
 * @param file path of the roster, from which relative paths in it start.
 * @returns null if the place of the change cannot be found, or if the change would have another effect, for example because of an
 * alias.
 * @throws RosterError `roster-invalid`.
 */
export function withAllowed(text: string, tool: string, file: string): ChangedRoster | null {
  const before = parseRoster(text, file);
  const { allowed, gated } = before.tools;
  const edited = editedOrNull(text, file, [...allowed, tool]);
  const tools = { allowed: [...allowed, tool], gated: gated.filter((name) => name !== tool) };
  if (!edited || !isDeepStrictEqual(edited.roster, { ...before, tools })) return null;
  const [olds, news] = [text.split('\n'), edited.text.split('\n')];
  const at = news.findIndex((line, i) => line !== olds[i] && line.includes(tool));
  return { text: edited.text, line: at + 1, says: news[at]!.trim() };
}

function editedOrNull(text: string, file: string, allowed: readonly string[]) {
  try {
    return withEdits(text, file, [{ path: 'tools.allowed', value: allowed }]);
  } catch (error) {
    if (error instanceof RosterError) return null;
    throw error;
  }
}
