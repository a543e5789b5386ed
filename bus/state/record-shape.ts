/**
 * Tells state records from other values in the bucket. It looks at the types of the fields that readers use, and not at limits of
 * length or number: a record that this code wrote must stay readable, and a full parse would slow down each claim.
 * Rule `foreign-messages` (docs/task-protocol.md).
 */
import { z } from 'zod';
import { Question, TaskState } from '../messages.ts';
import { TaskId } from '../task-id.ts';

const count = z.int();
const text = z.string();
const texts = z.array(text);
const outcome = z.enum(['completed', 'failed', 'cancelled']);
const time = text.refine((value) => !Number.isNaN(Date.parse(value)));
const usage = z.looseObject({ inputTokens: z.number(), outputTokens: z.number(), costUsd: z.number() });
const effects = z.array(z.looseObject({ target: text, call: text, tool: text, step: z.number(), outcome: text })).optional();

const status = z.looseObject({
  ...{ at: time, state: TaskState, step: z.number(), commit: count },
  ...{ backend: text.nullable(), outcome: outcome.nullable(), question: Question.nullable() },
  ...{ askedAt: text.optional(), lastTransitionAt: text.optional() },
  receipts: z.array(z.looseObject({ steer: text, fate: text })),
  ...{ usage, effects },
});

const result = z.looseObject({
  ...{ at: time, outcome, output: text.nullable(), usage, effects },
  failure: z.looseObject({ code: text, message: text }).nullable(),
  salvage: z.looseObject({ findings: texts, remaining: text.nullable(), artifacts: texts }),
});

const Shape = z.looseObject({
  id: TaskId,
  spec: z.looseObject({ type: text, instruction: text, backend: text.nullable() }),
  ...{ instruction: text, createdAt: time },
  phase: z.enum(['unborn', 'ready', 'held', 'parked', 'done']),
  ...{ epoch: count, t: count, q: count, commit: count, children: count, idleClaims: count },
  ...{ steeringCursor: count, resultCursor: count, statusSeq: count },
  inbox: z.array(z.looseObject({ steer: text, kind: text, seq: count, by: text.optional() })),
  seal: z.looseObject({ key: text, at: time, signature: text }).optional(),
  ...{ known: texts, artifacts: texts },
  ...{ last: status.nullable(), outbox: z.array(status), result: result.nullable() },
  snapshot: z.looseObject({ context: z.looseObject({}).optional() }).nullable(),
  plan: z.array(z.unknown()),
});

/** @param value JSON as the bucket has it. */
export const isStateRecord = (value: unknown): boolean => {
  const { success, data } = Shape.safeParse(value);
  return success && data.plan.every(isPlanRow);
};

/** Whether readers can read the status and the result of a record that is to be written. */
export const isReadable = ({ last, result: end }: { readonly last: unknown; readonly result: unknown }): boolean =>
  status.nullable().safeParse(last).success && result.nullable().safeParse(end).success;

/** Written out, since a plan may have 10,000 rows. */
function isPlanRow(row: unknown): boolean {
  if (typeof row !== 'object' || row === null) return false;
  const { id, key, type, instruction, status, after } = row as Record<string, unknown>;
  return (id === null || typeof id === 'string') && [key, type, instruction, status].every(isText) && isTexts(after);
}
const isText = (value: unknown): boolean => typeof value === 'string';
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText);
