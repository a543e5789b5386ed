/** Two tasks side by side, such as a task and its fork: answers, effects on files, and costs. */
import type { Crew } from '../crew.ts';
import type { Effect, Result, Usage } from '../messages.ts';
import { noUsage } from '../messages.ts';
import type { TaskId } from '../task-id.ts';

export interface Side {
  readonly id: TaskId;
  readonly type: string;
  readonly state: string;
  readonly outcome: Result['outcome'] | null;
  readonly backends: readonly string[];
  readonly steps: number;
  readonly usage: Usage;
  /** From its creation or first commit to its end, in ms; null while it is not over. */
  readonly tookMs: number | null;
  readonly answer: string | null;
}
export interface FileOfBoth {
  readonly path: string;
  /** The last change that each task made to the file; null: it made none. */
  readonly a: FileEnd | null;
  readonly b: FileEnd | null;
  readonly isSame: boolean;
}
export interface FileEnd {
  readonly kind: string;
  readonly added: number;
  readonly removed: number;
  /** sha256 of the content in the end; null: it was deleted. */
  readonly sha256: string | null;
}
export interface Comparison {
  readonly a: Side;
  readonly b: Side;
  readonly isSameAnswer: boolean;
  readonly files: readonly FileOfBoth[];
}

/** @throws CoxError `unknown-task`. */
export async function compareTasks(crew: Crew, a: TaskId, b: TaskId): Promise<Comparison> {
  const [first, second] = await Promise.all([read(crew, a), read(crew, b)]);
  const files = [...new Set([...first.files.keys(), ...second.files.keys()])].sort().map((path) => {
    const [of, other] = [first.files.get(path) ?? null, second.files.get(path) ?? null];
    return { path, a: of, b: other, isSame: of?.sha256 === other?.sha256 };
  });
  const isSameAnswer = first.side.answer !== null && first.side.answer === second.side.answer;
  return { a: first.side, b: second.side, isSameAnswer, files };
}

async function read(crew: Crew, id: TaskId) {
  const [result, status, { steps, type }] = await Promise.all([
    crew.peekResult(id),
    crew.status(id),
    crew.journal({ task: id, prompts: 'none' }, { all: true }),
  ]);
  const [begun, ended] = [steps[0]?.at, result?.at];
  const side: Side = {
    id,
    type,
    state: status?.state ?? 'idle',
    outcome: result?.outcome ?? null,
    backends: [...new Set(steps.flatMap(({ backend }) => backend ?? []))],
    steps: steps.length,
    usage: result?.usage ?? status?.usage ?? noUsage,
    tookMs: begun && ended ? Date.parse(ended) - Date.parse(begun) : null,
    answer: result?.output ?? null,
  };
  return { side, files: filesOf(result?.effects ?? status?.effects ?? []) };
}

function filesOf(effects: readonly Effect[]): Map<string, FileEnd> {
  const files = new Map<string, FileEnd>();
  for (const { target, outcome, kind, after, added = 0, removed = 0 } of effects) {
    if (outcome !== 'done' || kind === undefined || after === undefined) continue;
    const before = files.get(target);
    files.set(target, {
      kind,
      added: added + (before?.added ?? 0),
      removed: removed + (before?.removed ?? 0),
      sha256: after,
    });
  }
  return files;
}
