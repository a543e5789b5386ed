/** The files that a task has changed, as they were at the begin of one of its steps, from what its calls have replaced. */
import { z } from 'zod';
import { sha256Of } from '../artifacts/artifacts.ts';
import type { ReadableArtifacts } from '../artifacts/remote-artifacts.ts';
import { Effect } from '../messages.ts';
import type { StateRecord } from '../state/state-record.ts';

export interface FileAtStep {
  /** As the task names it: its path in the workspace. */
  readonly path: string;
  /** Name of the artifact with its content; null: a later call has not changed it, so it should be as the step left it. */
  readonly artifact: string | null;
  /** sha256 of the content in hex; null: there was no such file. `unknown`: what the call replaced was not kept. */
  readonly sha256: string | null | 'unknown';
}

/** The changes of files by a task so far, oldest first. */
function changesOf({ snapshot, result }: StateRecord): Effect[] {
  const { effects } = (snapshot?.context ?? {}) as { effects?: unknown };
  const parsed = z.array(Effect).safeParse(effects ?? result?.effects ?? []);
  const all = parsed.success ? parsed.data : [];
  return all.filter(({ outcome, kind, after }) => outcome === 'done' && kind !== undefined && after !== undefined);
}

/**
 * The state of a file at the begin of a step is what its first change in that step or later has replaced. A file without such a
 * change is as its last change before has left it.
 * @throws CoxError `artifact-refused` for a member of a crew with roles that hosts no tasks; `artifact-gone`, `bad-artifact`.
 */
export async function filesAtStep(artifacts: ReadableArtifacts, record: StateRecord, step: number): Promise<FileAtStep[]> {
  const byFile = Map.groupBy(changesOf(record), ({ target }) => target);
  const found = [...byFile].map(async ([path, changes]): Promise<FileAtStep> => {
    const later = changes.find((change) => change.step >= step);
    if (!later) return { path, artifact: null, sha256: changes.at(-1)!.after! };
    if (later.before === undefined) return { path, artifact: null, sha256: 'unknown' };
    if (later.before === null) return { path, artifact: null, sha256: null };
    const content = await artifacts.read(later.before);
    return content ? { path, artifact: later.before, sha256: sha256Of(content.bytes) } : { path, artifact: null, sha256: null };
  });
  return Promise.all(found);
}
