/** The questions that tasks have put to their operator and that are still open, with what waits for each of them. */
import type { z } from 'zod';
import type { PlanRow, Question } from '../messages.ts';
import { type Page, PageQuery, pageInTime } from '../page.ts';
import { goalOf, parentOf, Root, type TaskId } from '../task-id.ts';
import type { StateRecord } from './state-record.ts';
import { keysOf } from './tree.ts';

export const QuestionQuery = PageQuery.extend({
  root: Root.optional().describe('Of one tree: the part of its ids before the dot. Default: of all trees.'),
});
export type QuestionQuery = z.infer<typeof QuestionQuery>;

export interface OpenQuestion {
  /** The task that asks. */
  readonly id: TaskId;
  readonly goal: TaskId;
  /** The instruction of that goal; null if its record is gone. */
  readonly goalInstruction: string | null;
  /** Key of the task in the plan of its parent. */
  readonly key: string | null;
  readonly type: string;
  readonly instruction: string;
  readonly question: Question;
  /** ISO 8601, by the clock of the bus. */
  readonly askedAt: string;
  /** Number of planned sub-tasks that cannot start before the question is answered. */
  readonly blocked: number;
}

/** Oldest first. Questions of the same time are in the order of their tasks. */
export const openQuestions = (records: readonly StateRecord[]): readonly OpenQuestion[] =>
  questionPage(records, { limit: Number.POSITIVE_INFINITY }).rows;

/** @throws CoxError `bad-cursor`. */
export function questionPage(records: readonly StateRecord[], query: PageQuery, maxBytes?: number): Page<OpenQuestion> {
  const byId = new Map(records.map((record) => [record.id, record]));
  const keys = keysOf(records);
  return pageInTime(records.flatMap(asking), query, {
    placeOf: ({ record, askedAt }) => ({ at: askedAt, id: record.id }),
    rowOf: ({ record, question, askedAt }): OpenQuestion => {
      const { id, spec, instruction } = record;
      const goal = goalOf(id);
      return {
        ...{ id, goal, goalInstruction: byId.get(goal)?.instruction ?? null, key: keys.get(id) ?? null },
        ...{ type: spec.type, instruction, question, askedAt, blocked: blockedBy(record, byId, keys) },
      };
    },
    maxBytes,
  });
}

interface Asking {
  readonly record: StateRecord;
  readonly question: Question;
  readonly askedAt: string;
}

function asking(record: StateRecord): Asking[] {
  const { last } = record;
  if (!last?.question || last.outcome !== null) return [];
  return [{ record, question: last.question, askedAt: last.askedAt ?? last.lastTransitionAt ?? last.at }];
}

/** Sub-tasks that wait for the end of the task that asks, in the plan of its goal and in those above, and in its own plan. */
function blockedBy(record: StateRecord, byId: ReadonlyMap<TaskId, StateRecord>, keys: ReadonlyMap<TaskId, string>): number {
  let blocked = blockedInside(record);
  for (let below = record.id, above = parentOf(below); above !== null; below = above, above = parentOf(below))
    blocked += waitingFor(byId.get(above)?.plan ?? [], keys.get(below) ?? null);
  return blocked;
}

/** A goal that asks about one of its sub-tasks holds up what depends on that one; any other question holds up all that waits. */
function blockedInside({ plan, snapshot }: StateRecord): number {
  const asked = (snapshot?.context as { question?: { key?: unknown } | null } | undefined)?.question;
  return typeof asked?.key === 'string' ? waitingFor(plan, asked.key) : plan.filter(({ status }) => status === 'waiting').length;
}

/** Number of rows that wait for `key`, directly or through other rows. */
function waitingFor(plan: readonly PlanRow[], key: string | null): number {
  if (key === null) return 0;
  const found = new Set([key]);
  for (let size = 0; size !== found.size; ) {
    size = found.size;
    for (const row of plan) if (row.status === 'waiting' && row.after.some((other) => found.has(other))) found.add(row.key);
  }
  return found.size - 1;
}
