/**
 * The name of an artifact, which is also its ref: `<task>/<call>/<n>` for what the `n`th change (from 0) of a call replaced,
 * `<task>/<call>/made-<n>` for the `n`th thing that a call made, `<task>/<call>/preview-<digest>` for what an operator was shown
 * before the call, and `<task>/result/output-<digest>` for the whole of a long result.
 */
import { isTaskId, type TaskId } from '../task-id.ts';

export interface ArtifactPlace {
  readonly task: TaskId;
  /** Id of the call within the task, or `result`. */
  readonly call: string;
  readonly n: number | `made-${number}` | `preview-${string}` | `output-${string}`;
}

export type ArtifactKind = 'replaced' | 'made' | 'preview' | 'result';

const pattern =
  /^([^/]+)\/([A-Za-z0-9_-]{1,64})\/(?:(0|[1-9][0-9]{0,5})|(made-(?:0|[1-9][0-9]{0,5})|(?:preview|output)-[0-9a-f]{16}))$/;

export const artifactName = ({ task, call, n }: ArtifactPlace): string => `${task}/${call}/${n}`;

/** @returns null if the text is not the name of an artifact. Such a name is safe as a part of a subject. */
export function parseArtifactName(name: string): ArtifactPlace | null {
  const [, task = '', call = '', n, word] = pattern.exec(name) ?? [];
  return isTaskId(task) ? { task, call, n: word === undefined ? Number(n) : (word as `made-${number}`) } : null;
}

export function kindOfArtifact({ n }: ArtifactPlace): ArtifactKind {
  if (typeof n === 'number') return 'replaced';
  if (n.startsWith('made-')) return 'made';
  return n.startsWith('preview-') ? 'preview' : 'result';
}
