/**
 * The tree of a goal for the eye: rows with their depth, sums of what is below, groups of siblings that look alike, and what is
 * folded. It is computed from the rows of the service alone, so that it can be tested without a browser. Invariants:
 * A. Every task of the goal is counted in exactly one place: its own row, or a group that says how many it stands for.
 * B. A task that asks its operator, or that was searched for, is never inside a group or a fold.
 */
import type { Status, TreeNode, Usage } from '../../../bus/messages.ts';

export type Row = TreeNode & { readonly name: string };

/** The tokens and dollars that a task has used, by itself and with all below it. */
export interface Sums {
  readonly tasks: number;
  readonly usage: Usage;
}

export type Line =
  | {
      readonly kind: 'task';
      readonly name: string;
      readonly row: Row;
      readonly depth: number;
      /** The usage of the task itself, without that of its sub-tasks. */
      readonly own: Usage;
      readonly sums: Sums;
      /** Number of direct sub-tasks. */
      readonly children: number;
      readonly isOpen: boolean;
    }
  | {
      readonly kind: 'group';
      readonly name: string;
      readonly depth: number;
      readonly rows: readonly Row[];
      readonly sums: Sums;
      readonly isOpen: boolean;
    };

/** More siblings than this of one type and one state are a group. */
export const wide = 24;
/** Sub-tasks below this depth are folded until they are opened. */
export const deep = 3;

export interface View {
  /** Lower case; empty: everything is shown. */
  readonly search: string;
  /** Names that the operator has opened or closed, against the default. */
  readonly turned: ReadonlySet<string>;
}

/** A node of a plan keeps its name when it is dispatched; an attempt that another one has replaced has its id. */
export const nameOf = ({ id, parent, key }: TreeNode): string => (key === null ? String(id) : `${parent}/${key}`);

export function linesOf(rows: readonly Row[], { search, turned }: View): Line[] {
  const ids = new Set(rows.flatMap(({ id }) => id ?? []));
  const children = Map.groupBy(rows, ({ parent }) => (parent !== null && ids.has(parent) ? parent : null));
  const sums = new Map<string, Sums>();
  const wanted = new Set<string>();
  /** Rows that lead to a wanted one. */
  const leading = new Set<string>();
  const below = (row: Row): readonly Row[] => (row.id === null ? [] : (children.get(row.id) ?? []));
  const owns = new Map<string, Usage>();
  const measure = (row: Row): Sums => {
    const own = ownUsage(row, below(row));
    owns.set(row.name, own);
    let total: Sums = { tasks: 1, usage: own };
    let isWanted = row.question !== null && row.outcome === null;
    if (search !== '' && textOf(row).includes(search)) isWanted = true;
    for (const child of below(row)) {
      total = plus(total, measure(child));
      if (wanted.has(child.name)) leading.add(row.name);
    }
    if (isWanted || leading.has(row.name)) wanted.add(row.name);
    sums.set(row.name, total);
    return total;
  };
  const lines: Line[] = [];
  const add = (row: Row, depth: number): void => {
    if (search !== '' && !wanted.has(row.name)) return;
    const mine = below(row);
    const isOpen = leading.has(row.name) || depth < deep !== turned.has(row.name);
    const [own, total] = [owns.get(row.name)!, sums.get(row.name)!];
    lines.push({ kind: 'task', name: row.name, row, depth, own, sums: total, children: mine.length, isOpen });
    if (isOpen) addAll(mine, row.name, depth + 1);
  };
  const addAll = (siblings: readonly Row[], parent: string, depth: number): void => {
    const isGrouped = search === '' && siblings.length > wide;
    const alike = isGrouped ? Map.groupBy(siblings, groupOf) : new Map<string, readonly Row[]>();
    const told = new Set<string>();
    for (const row of siblings) {
      const group = groupOf(row);
      const members = alike.get(group) ?? [];
      if (members.length <= wide || wanted.has(row.name)) add(row, depth);
      else if (!told.has(group)) {
        told.add(group);
        const inside = members.filter(({ name }) => !wanted.has(name));
        const name = `${parent} ${group}`;
        const isOpen = turned.has(name);
        const total = inside.map((each) => sums.get(each.name)!).reduce(plus);
        lines.push({ kind: 'group', name, depth, rows: inside, sums: total, isOpen });
        if (isOpen) for (const each of inside) add(each, depth + 1);
      }
    }
  };
  const top = children.get(null) ?? [];
  for (const row of top) measure(row);
  for (const row of top) add(row, 0);
  return lines;
}

const textOf = ({ id, key, type, instruction, backend, state, outcome }: Row): string =>
  `${id ?? ''} ${key ?? ''} ${type} ${instruction} ${backend ?? ''} ${outcome ?? state}`.toLowerCase();

const groupOf = ({ type, state, outcome, id, paused }: Row): string =>
  `${type} ${outcome ?? (paused ? 'paused' : id === null ? 'planned' : state)}`;

/** The usage of a goal includes that of its sub-tasks that have ended; one that was cut off has not been told of all of them. */
function ownUsage({ usage }: Row, children: readonly Row[]): Usage {
  const less = (a: number, b: number) => Math.max(0, a - b);
  return children.reduce((own, { outcome, usage: gone }) => {
    if (outcome === null) return own;
    const estimatedUsd = less(own.estimatedUsd ?? 0, gone.estimatedUsd ?? 0);
    return {
      inputTokens: less(own.inputTokens, gone.inputTokens),
      outputTokens: less(own.outputTokens, gone.outputTokens),
      costUsd: less(own.costUsd, gone.costUsd),
      ...(estimatedUsd > 0 && { estimatedUsd }),
    };
  }, usage);
}

const plus = (a: Sums, b: Sums): Sums => ({ tasks: a.tasks + b.tasks, usage: added(a.usage, b.usage) });

/** The estimated part is left out where nothing is estimated. */
export function added(a: Usage, b: Usage): Usage {
  const estimatedUsd = (a.estimatedUsd ?? 0) + (b.estimatedUsd ?? 0);
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    costUsd: a.costUsd + b.costUsd,
    ...(estimatedUsd > 0 && { estimatedUsd }),
  };
}

/** A row as a later status of its task has it. */
export function withStatus(row: Row, status: Status): Row {
  const { paused: _paused, doing: _doing, ...rest } = row;
  return {
    ...rest,
    state: status.state,
    outcome: status.outcome,
    steps: status.step,
    backend: status.backend ?? row.backend,
    usage: status.usage,
    question: status.question,
    updatedAt: status.at,
    ...(status.paused && { paused: true as const }),
    ...(status.doing !== undefined && { doing: status.doing }),
    ...(status.lastTokenAt && { lastTokenAt: status.lastTokenAt }),
    ...(status.lastToolAt && { lastToolAt: status.lastToolAt }),
    ...(status.effects && { effects: status.effects }),
  };
}
