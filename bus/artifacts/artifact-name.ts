/**
 * The name of an artifact: `<task>/<call>/<n>` for what the `n`th change (from 0) of a call replaced, and
 * `<task>/<call>/preview-<digest>` for the whole of what an operator was shown before the call.
 */
import { isTaskId, type TaskId } from '../task-id.ts';

export interface ArtifactPlace {
  readonly task: TaskId;
  /** Id of the call within the task. */
  readonly call: string;
  readonly n: number | `preview-${string}`;
}

const pattern = /^([^/]+)\/([A-Za-z0-9_-]{1,64})\/(?:(0|[1-9][0-9]{0,5})|(preview-[0-9a-f]{16}))$/;

export const artifactName = ({ task, call, n }: ArtifactPlace): string => `${task}/${call}/${n}`;

/** @returns null if the text is not the name of an artifact. Such a name is safe as a part of a subject. */
export function parseArtifactName(name: string): ArtifactPlace | null {
  const [, task = '', call = '', n, preview] = pattern.exec(name) ?? [];
  return isTaskId(task) ? { task, call, n: preview === undefined ? Number(n) : (preview as `preview-${string}`) } : null;
}
