/**
 * Salvages the usable parts of a checkpoint that this build cannot restore. A machine that is not known here wrote the
 * checkpoint, so nothing in it is trusted: a part is taken if it has today's shape, and left out if it has not.
 */
import { z } from 'zod';
import { Usage } from '../../bus/messages.ts';
import type { StateRecord } from '../../bus/state/state-record.ts';
import { ordinalOf } from '../../bus/task-id.ts';
import { settleInDoubt } from '../../machines/budget.ts';
import type { Carryover } from '../../machines/carryover.ts';
import { type SteerKind, steerKinds, urgencies } from '../../machines/steering-ledger.ts';
import { clipped } from './clipped.ts';

const Steer = z.object({
  id: z.string(),
  kind: z.enum(Object.keys(steerKinds) as SteerKind[]),
  text: z.string(),
  urgency: z.enum(urgencies),
  fate: z.enum(['queued', 'applied', 'returned']),
});
const Said = z.object({ role: z.enum(['assistant', 'tool']), text: z.string().min(1) });
const Context = z.looseObject({
  steers: z.array(z.unknown()).catch([]),
  messages: z.array(z.unknown()).catch([]),
  draft: z.string().nullish().catch(null),
  answer: z.string().nullish().catch(null),
  questions: z.number().int().nullish().catch(null),
  usage: z.record(z.string(), Usage).nullish().catch(null),
  reserved: z.object({ backend: z.string(), costUsd: z.number() }).nullish().catch(null),
  toppedUpUsd: z.number().nullish().catch(null),
  slices: z.record(z.string(), z.number()).nullish().catch(null),
});

export function salvageOf(record: StateRecord): Carryover {
  const { last, plan, children, commit, instruction, snapshot, stranded } = record;
  const context = Context.catch({ steers: [], messages: [] }).parse(snapshot?.context ?? {});
  const steers = readable(context.steers, Steer);
  const doing = stranded?.doing ?? (last?.state === 'acting' ? last.doing : undefined);
  const dispatched = plan.flatMap((row) => (row.id === null ? [] : [{ ...row, child: ordinalOf(row.id) }]));
  return {
    instruction,
    corrections: steers.filter(({ kind, fate }) => kind === 'steer' && fate === 'applied').map(({ text }) => text),
    steers: steers.filter(({ fate }) => fate === 'queued'),
    found: [
      ...readable(context.messages, Said).map(({ text }) => clipped(text)),
      ...[context.draft, context.answer].flatMap((text) => (text ? [clipped(text)] : [])),
      ...(doing ? [`It was running ${doing}, which may have happened.`] : []),
    ],
    step: last?.step ?? 0,
    // Ids of questions stay unique, because a task never has more questions than commits.
    questions: context.questions ?? commit,
    usage: settleInDoubt({ usage: context.usage ?? (last ? { earlier: last.usage } : {}), reserved: context.reserved ?? null })
      .usage,
    toppedUpUsd: context.toppedUpUsd ?? 0,
    slices: context.slices ?? {},
    children,
    returned: dispatched
      .filter(({ status }) => status === 'returned')
      .map(({ key, type, instruction: todo, after, child }) => ({
        ...{ key, type, after, child, instruction: todo },
        needs: [],
        backend: null,
      })),
    running: dispatched.filter(({ status }) => status === 'running').map(({ child }) => child),
  };
}

const readable = <T>(values: readonly unknown[], schema: z.ZodType<T>): T[] =>
  values.flatMap((value) => {
    const parsed = schema.safeParse(value);
    return parsed.success ? [parsed.data] : [];
  });
