/**
 * What the calls of a task did to the world, for its result: "wrote a.txt (+12 −3)". All plain JSON.
 * P. Each entry is made from what the chart has committed about the call, never from the words of a model.
 */
import type { Calls, ToolCall } from './conversation.ts';
import { mayHaveRun } from './conversation.ts';

/** The first three are of files, the others of a page in a browser: a form was sent, a file given away, something acted on. */
export type ChangeKind = 'created' | 'changed' | 'deleted' | 'submitted' | 'uploaded' | 'filled' | 'clicked' | 'pressed';

/** What one call changed, as its tool reports it. */
export interface Change {
  /** The changed thing: a file's path, relative to the workspace, with slashes; an act on a page has the page's address too. */
  readonly target: string;
  readonly kind: ChangeKind;
  /** Number of lines added and removed, where the target is text. */
  readonly added?: number;
  readonly removed?: number;
  /** Name of the artifact that keeps what was replaced; null: there was nothing. Left out where nothing was kept. */
  readonly before?: string | null;
  /** sha256 of the new content in hex; null where it was deleted. Left out where the target has no content. */
  readonly after?: string | null;
}

/** `in-doubt`: the call began, and nobody knows whether it ran to its end. */
export type EffectOutcome = 'done' | 'failed' | 'denied' | 'in-doubt';
export interface Effect extends Partial<Omit<Change, 'target'>> {
  /** Id of the call within its task. */
  readonly call: string;
  readonly tool: string;
  /** What the call was about, such as a path; the tool's name where it does not say. */
  readonly target: string;
  /** The step in which the call ended. */
  readonly step: number;
  readonly outcome: EffectOutcome;
}

/** The entry for a call; none for a call of a tool that only reads. A call that changes several things has one entry for each. */
export function effectsOf(
  call: ToolCall | undefined,
  step: number,
  outcome: EffectOutcome,
  changes: readonly Change[] = [],
): Effect[] {
  if (!call || call.effects === 'none') return [];
  const { id, tool, target = tool } = call;
  const entry: Effect = { call: id, tool, target, step, outcome };
  return changes.length > 0 ? changes.map((change) => ({ ...entry, ...change })) : [entry];
}

/** Entries for the calls that are left open at the end and may have run. */
export const doubtful = (calls: Calls, step: number): Effect[] =>
  calls.filter(mayHaveRun).flatMap((call) => effectsOf(call, step, 'in-doubt'));

/** An effect as its result stores it: optional fields may be there and undefined. */
type Told = Pick<Effect, 'tool' | 'target' | 'outcome'> & {
  readonly kind?: Change['kind'] | undefined;
  readonly added?: number | undefined;
  readonly removed?: number | undefined;
};

/** One effect in words: `wrote a.txt (+12 −3)`, `submitted form at http://…`. Code writes them, so they say what happened. */
export function effectWords({ tool, target: named, outcome, kind, added, removed }: Told): string {
  // A line break in a name would make a line of its own in the list of what was done.
  const target = named.replaceAll(/\p{Cc}/gu, ' ');
  const what = target === tool ? tool : `${tool} ${target}`;
  if (outcome === 'denied') return `denied: ${what}`;
  if (outcome === 'failed') return `failed: ${what}`;
  if (outcome === 'in-doubt') return `may have run: ${what}`;
  const lines = [...(added ? [`+${added}`] : []), ...(removed ? [`−${removed}`] : [])].join(' ');
  return `${kind ? `${verbs[kind]} ${target}` : `ran ${what}`}${lines ? ` (${lines})` : ''}`;
}

const verbs: Readonly<Record<ChangeKind, string>> = {
  created: 'created',
  changed: 'wrote',
  deleted: 'deleted',
  submitted: 'submitted form at',
  uploaded: 'uploaded',
  filled: 'filled',
  clicked: 'clicked',
  pressed: 'pressed',
};

/** All effects in one line. @returns `changed nothing` where nothing was done. */
export function effectsLine(effects: readonly Told[], leftOut = 0): string {
  const words = effects.map(effectWords);
  const more = leftOut > 0 ? [`and ${leftOut} more`] : [];
  const nothing =
    effects.some(({ outcome }) => outcome === 'done' || outcome === 'in-doubt') || leftOut > 0 ? [] : ['changed nothing'];
  return [...nothing, ...words, ...more].join(', ');
}
