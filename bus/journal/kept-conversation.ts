/** The conversation and the steering ledger in the checkpoint of a state record, as far as they can be read. */
import { z } from 'zod';
import type { StateRecord } from '../state/state-record.ts';

const KeptMessage = z.looseObject({
  role: z.enum(['user', 'assistant', 'tool']),
  text: z.string(),
  calls: z.array(z.looseObject({ id: z.string(), tool: z.string(), args: z.unknown() })).optional(),
  call: z.string().optional(),
  unfinished: z.literal(true).optional(),
  images: z.array(z.looseObject({ ref: z.string() })).optional(),
});
export type KeptMessage = z.infer<typeof KeptMessage>;

const KeptSteer = z.looseObject({
  id: z.string(),
  kind: z.string(),
  text: z.string(),
  fate: z.string(),
  step: z.number().optional(),
  reason: z.string().optional(),
});
export type KeptSteer = z.infer<typeof KeptSteer>;

export interface Kept {
  /** Empty for a goal, and for a checkpoint of a chart that is not known here. */
  readonly messages: readonly KeptMessage[];
  /** The steers that were applied, in order. */
  readonly steers: readonly KeptSteer[];
}

/** The values as they are, and not as zod returns them with their fields in another order: digests are of the former. */
const fitting = <T>(schema: z.ZodType<T>, value: unknown): T[] | null =>
  z.array(schema).safeParse(value).success ? (value as T[]) : null;

/** A long conversation is checked once for each record that is read, and not for each of its steps. */
const known = new WeakMap<object, Kept>();

export function keptOf(record: Pick<StateRecord, 'snapshot' | 'earlier'>): Kept {
  const kept = known.get(record) ?? read(record);
  known.set(record, kept);
  return kept;
}

function read({ snapshot, earlier }: Pick<StateRecord, 'snapshot' | 'earlier'>): Kept {
  const context = (snapshot?.context ?? earlier ?? {}) as { readonly messages?: unknown; readonly steers?: unknown };
  return {
    messages: fitting(KeptMessage, context.messages) ?? [],
    steers: (fitting(KeptSteer, context.steers) ?? []).filter(({ fate }) => fate === 'applied'),
  };
}
