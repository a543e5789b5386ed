/** The name of an artifact: `<task>/<call>/<n>`, for what the `n`th change (from 0) of a call of the task replaced. */
import { isTaskId, type TaskId } from '../task-id.ts';

export interface ArtifactPlace {
  readonly task: TaskId;
  /** Id of the call within the task. */
  readonly call: string;
  readonly n: number;
}

const pattern = /^([^/]+)\/([A-Za-z0-9_-]{1,64})\/(0|[1-9][0-9]{0,5})$/;

export const artifactName = ({ task, call, n }: ArtifactPlace): string => `${task}/${call}/${n}`;

/** @returns null if the text is not the name of an artifact. Such a name is safe as a part of a subject. */
export function parseArtifactName(name: string): ArtifactPlace | null {
  const [, task = '', call = '', n = ''] = pattern.exec(name) ?? [];
  return isTaskId(task) ? { task, call, n: Number(n) } : null;
}
