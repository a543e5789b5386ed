/**
 * Undoes what tasks did to files (`cox undo`). The effects in the results of the tasks say what can be undone; a task of its own
 * does it, so that it survives crashes, runs where the tasks ran, and can be undone itself.
 */
import { fitted } from '../platform/cut.ts';
import { CoxError } from '../platform/errors.ts';
import type { Crew } from './crew.ts';
import { type Effect, maxInstructionChars, type UndoSpec } from './messages.ts';
import { allRecords } from './state/all-records.ts';
import type { StateRecord } from './state/state-record.ts';
import { isWithin, rootOf, type TaskId } from './task-id.ts';

export interface UndoPlan {
  /** The task whose changes are to be undone, or the goal. */
  readonly of: TaskId;
  /** The type of the task that did the changes: whoever works on that type can undo them. */
  readonly type: string;
  readonly workspace: string | null;
  /** Empty: there is nothing to undo. */
  readonly files: UndoSpec['files'];
  /** Effects that cannot be undone. */
  readonly left: readonly { readonly task: TaskId; readonly step: number; readonly target: string; readonly why: string }[];
}

/**
 * Reads what can be undone of a task, or of all tasks below a goal, newest change first.
 * @param step only the changes of this step of the task; null: all of them.
 * @throws CoxError `unknown-task`; `task-unfinished` while one of the tasks may still change something; `usage` for a step of a
 * goal, which has no calls of its own, and for an imported task.
 */
export async function planUndo({ bus }: Crew, id: TaskId, step: number | null): Promise<UndoPlan> {
  const records = (await allRecords(bus, `${rootOf(id)}.*`)).filter((record) => isWithin(record.id, id));
  const top = records.find((record) => record.id === id);
  if (!top) throw new CoxError('unknown-task', `There is no task ${id}`, { hint: '`cox status` lists the tasks of this crew.' });
  if (top.archived !== undefined)
    throw new CoxError('usage', `${id} is imported: it has changed files of another machine`, {
      hint: `Undo ${top.archived} there.`,
    });
  if (step !== null && top.spec.type === 'supervisor')
    throw new CoxError('usage', `${id} is a goal: its sub-tasks have the steps that change files`, {
      hint: `Name a sub-task, as in \`cox undo ${rootOf(id)}.1 ${step}\`; \`cox tree ${rootOf(id)}\` lists them.`,
    });
  const open = records.find(({ result }) => result === null);
  if (open)
    throw new CoxError('task-unfinished', `${open.id} has not ended: it may still change files`, {
      hint: `Wait for \`cox result ${open.id}\`, or end it with \`cox cancel ${id}\`.`,
    });
  return planOf(
    id,
    top,
    newestFirst(records).filter(({ effect }) => step === null || effect.step === step),
  );
}

interface Did {
  readonly record: StateRecord;
  readonly effect: Effect;
}

/** The result of a goal repeats the effects of its sub-tasks, so only those of the sub-tasks count. */
function newestFirst(records: readonly StateRecord[]): Did[] {
  const ended = records
    .filter(({ spec, result }) => spec.type !== 'supervisor' && result)
    .sort((a, b) => Date.parse(b.result!.at) - Date.parse(a.result!.at));
  return ended.flatMap((record) => (record.result!.effects ?? []).toReversed().map((effect) => ({ record, effect })));
}

function planOf(of: TaskId, top: StateRecord, all: readonly Did[]): UndoPlan {
  const files = new Map<string, UndoSpec['files'][number]['changes']>();
  const left: UndoPlan['left'][number][] = [];
  let by: StateRecord | null = null;
  for (const { record, effect } of all) {
    const { target, step, before, after, added, removed } = effect;
    const why = whyNot(effect);
    if (why === 'nothing') continue;
    if (why !== null) left.push({ task: record.id, step, target, why });
    else {
      by ??= record;
      const change = { task: record.id, step, before: before!, after: after! };
      const counts = { ...(added !== undefined && { added }), ...(removed !== undefined && { removed }) };
      files.set(target, [...(files.get(target) ?? []), { ...change, ...counts }]);
    }
  }
  for (const { id, result } of new Set(all.map(({ record }) => record)))
    if (result?.effectsLeftOut)
      left.push({ task: id, step: 0, target: `${result.effectsLeftOut} earlier effects`, why: 'the result does not list them' });
  const { type, workspace } = (by ?? top).spec;
  return { of, type, workspace, files: [...files].map(([path, changes]) => ({ path, changes })), left };
}

/** @returns why the effect cannot be undone; `nothing` if it changed nothing; null if it can be undone. */
function whyNot({ outcome, kind, before, after, tool }: Effect): string | null {
  if (outcome === 'denied' || outcome === 'failed') return 'nothing';
  if (outcome === 'in-doubt') return 'nobody knows whether it ran';
  if (kind === undefined) return tool === restoreToolName ? 'nothing' : `${tool} does not say what it changed`;
  if (after === undefined) return 'it is not a file';
  return before === undefined ? 'what it replaced was not kept' : null;
}

/** The tool of the tasks that undo. Such a call without a change found that there was nothing to do. */
export const restoreToolName = 'restore_file';

/** Dispatches the task that carries the plan out. @throws CoxError as `Crew.dispatch` does. */
export function startUndo(crew: Crew, { of, type, workspace, files }: UndoPlan): Promise<TaskId> {
  const named = files.map(({ path }) => path).join(', ');
  const instruction = fitted(`Undo ${of}: ${named}`, maxInstructionChars).toWellFormed();
  return crew.dispatch({ type, instruction, workspace, undo: { of, files } });
}
