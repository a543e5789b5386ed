/** Shows state records as rows of a list and of a tree. */
import { parseArtifactName } from '../artifacts/artifact-name.ts';
import { cutMarkIn } from '../cut-mark.ts';
import { noUsage, type Question, type Status, type TaskState, type TreeNode } from '../messages.ts';
import { badCursor, type Page, type PageQuery, pageFrom } from '../page.ts';
import { parentOf, type TaskId } from '../task-id.ts';
import type { Phase, StateRecord } from './state-record.ts';

export interface TaskSummary {
  readonly id: TaskId;
  readonly parent: TaskId | null;
  /** Its key in the plan of the parent; null for a goal, and for an attempt that another one has replaced. */
  readonly key: string | null;
  readonly type: string;
  readonly instruction: string;
  readonly phase: Phase;
  readonly state: TaskState;
  readonly outcome: Status['outcome'];
  readonly question: Question | null;
  readonly step: number;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** Every task as a row of a list. */
export function summariesOf(records: readonly StateRecord[]): TaskSummary[] {
  const keys = keysOf(records);
  return records.map((record) => summaryOf(record, keys.get(record.id) ?? null));
}

/** The key of each sub-task that a plan names at present. */
export const keysOf = (records: readonly StateRecord[]): Map<TaskId, string> =>
  new Map(records.flatMap(({ plan }) => plan.flatMap(({ id, key }) => (id === null ? [] : [[id, key] as const]))));

const summaryOf = ({ id, spec, instruction, phase, last, createdAt }: StateRecord, key: string | null): TaskSummary => ({
  id,
  parent: parentOf(id),
  key,
  type: spec.type,
  instruction,
  phase,
  state: last?.state ?? 'idle',
  outcome: last?.outcome ?? null,
  question: last?.question ?? null,
  step: last?.step ?? 0,
  createdAt,
  updatedAt: last?.at ?? createdAt,
});

export const treeNode = ({ id, spec, instruction, last, result, artifacts, createdAt }: StateRecord): TreeNode => ({
  id,
  parent: parentOf(id),
  key: null,
  type: spec.type,
  instruction,
  backend: last?.backend ?? spec.backend,
  state: last?.state ?? 'idle',
  outcome: last?.outcome ?? null,
  steps: last?.step ?? 0,
  usage: last?.usage ?? noUsage,
  question: last?.question ?? null,
  ...(last?.effects && { effects: last.effects }),
  ...madeBy(artifacts),
  ...incompleteOf(result?.output ?? null),
  ...{ createdAt, ...(last && { updatedAt: last.at }) },
  ...(last?.paused && { paused: true as const }),
  ...(last?.doing !== undefined && { doing: last.doing }),
  ...(last?.lastTokenAt && { lastTokenAt: last.lastTokenAt }),
  ...(last?.lastToolAt && { lastToolAt: last.lastToolAt }),
});

const madeBy = (artifacts: readonly string[]): Pick<TreeNode, 'made'> => {
  const made = artifacts.filter((name) => typeof parseArtifactName(name)?.n === 'string').slice(-mostMade);
  return made.length > 0 ? { made } : {};
};
const mostMade = 16;

const incompleteOf = (output: string | null): Pick<TreeNode, 'incomplete'> => {
  const incomplete = output === null ? null : cutMarkIn(output);
  return incomplete === null ? {} : { incomplete };
};

/**
 * The task and all tasks below it, parents before children. Attempts that others have replaced come first among their siblings,
 * then the nodes of the plan in its order. Empty if there is no such task.
 */
export function treeOf(records: readonly StateRecord[], id: TaskId): TreeNode[] {
  const byId = new Map(records.map((record) => [record.id, record]));
  const children = Map.groupBy(records, (record) => parentOf(record.id));
  const below = (record: StateRecord, key: string | null): TreeNode[] => {
    const rows = planned(record);
    const named = new Set(rows.map((row) => row.id));
    const earlier = (children.get(record.id) ?? []).filter((child) => !named.has(child.id));
    return [
      { ...treeNode(record), key },
      ...earlier.flatMap((attempt) => below(attempt, null)),
      ...rows.flatMap((row) => {
        const child = row.id === null ? undefined : byId.get(row.id);
        return child ? withAfter(below(child, row.key), row) : [row];
      }),
    ];
  };
  const top = byId.get(id);
  return top ? below(top, null) : records.flatMap(planned).filter((row) => row.id === id);
}

/**
 * A page of the rows of a tree. A node of a plan keeps its place by its key, also when it gets an id or is run again.
 * @throws CoxError `bad-cursor`.
 */
export function treePage(nodes: readonly TreeNode[], query: PageQuery, maxBytes?: number): Page<TreeNode> {
  const at = query.after === undefined ? 0 : nodes.findIndex((node) => nameInTree(node) === query.after) + 1;
  if (query.after !== undefined && at === 0) throw badCursor(query.after);
  return pageFrom(nodes, at, query, { rowOf: (node) => node, nameOf: nameInTree, maxBytes });
}

/** The first row, of the task itself, tells what its plan lets it wait for. */
const withAfter = (rows: TreeNode[], { after }: TreeNode): TreeNode[] =>
  after ? rows.map((row, at) => (at === 0 ? { ...row, after } : row)) : rows;

const nameInTree = ({ id, parent, key }: TreeNode): string => (key === null ? String(id) : `${parent}/${key}`);

/**
 * Shows the nodes of a supervisor's plan as they are before anybody claims them: `idle`, or `cancelled` if the node was dropped
 * or the supervisor has ended.
 */
export const planned = ({ id, plan, last }: StateRecord): TreeNode[] =>
  plan.map((row) => ({
    ...(row.status === 'dropped' || last?.outcome ? cancelled : idle),
    id: row.id,
    parent: id,
    key: row.key,
    type: row.type,
    instruction: row.instruction,
    backend: null,
    steps: 0,
    usage: noUsage,
    question: null,
    ...(row.after.length > 0 && { after: row.after }),
  }));
const idle = { state: 'idle', outcome: null } as const;
const cancelled = { state: 'done', outcome: 'cancelled' } as const;
