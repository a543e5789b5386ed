/**
 * The state record of a task: the only thing that decides. `status` and `result` are projections of it. state-store.ts reads and writes it.
 * D. One result per id: `result` is set by the commit that sets phase `done`, and never again.
 */
import { z } from 'zod';
import { PlanRow, type Receipt, Result, Status, TaskSpec } from '../messages.ts';
import { isTaskId, TaskId } from '../task-id.ts';
import { packed, unpacked } from './record-codec.ts';

/** `unborn`: no task yet; only steers that were returned (docs/adr/0010). */
export const Phase = z.enum(['unborn', 'ready', 'held', 'parked', 'done']);
export type Phase = z.infer<typeof Phase>;

/** A call that runs, or of which nobody knows whether it ran, and by what its outcome is known (docs/adr/0016). */
const InFlight = z.object({
  call: z.string(),
  epoch: z.number().int().describe('The claim that started it last.'),
  node: z.string(),
  proof: z.string().describe('sha256 of what only that worker knows.'),
});
export type InFlight = z.infer<typeof InFlight>;

export const StateRecord = z.object({
  id: TaskId,
  spec: TaskSpec,
  instruction: z.string().describe('What it is asked to do now: the spec’s until a redirect.'),
  phase: Phase,
  epoch: z.number().int().describe('Counts the claims.'),
  run: z.number().int().describe('The ticket of the present or last run.'),
  ticketSeq: z.number().int().describe('Stream sequence of that ticket; 0 before the first claim.'),
  node: z.string().describe('Who wrote it last.'),
  write: z.string().describe('A fresh id per write, so that a writer recognises its own after a lost reply.'),
  commit: z.number().int().describe('Counts the status messages.'),
  steeringCursor: z.number().int().describe('Everything on the steering subject up to this sequence is taken.'),
  resultCursor: z.number().int(),
  inbox: z
    .array(z.object({ steer: z.string(), kind: z.string(), seq: z.number().int() }))
    .describe('Steers taken and without a final receipt.'),
  known: z.array(z.string()).describe('Ids of steers that were returned before they reached the machine.'),
  children: z.number().int().describe('Sub-tasks 1 … n exist once this is committed.'),
  plan: z.array(PlanRow).describe('For a supervisor: its plan, for whoever looks at the tree.'),
  machine: z.object({ id: z.string(), version: z.number().int() }).nullable(),
  snapshot: z.record(z.string(), z.unknown()).nullable().describe('Persisted snapshot of the machine, without its children.'),
  artifacts: z.array(z.string()),
  last: Status.nullable().describe('The last status.'),
  outbox: z.array(Status).describe('Statuses not known to be on the log.'),
  statusSeq: z.number().int().describe('Log sequence of the last status known to be there; 0 for none.'),
  result: Result.nullable(),
  wakeAt: z.iso.datetime().nullable().describe('When a parked task is to be woken though nobody says anything: its deadline.'),
  doubtfulUntil: z.iso
    .datetime()
    .nullable()
    .describe('Until then a worker that lost the task may still be running a call of it.'),
  idleClaims: z.number().int().describe('Claims since the last commit that made progress.'),
  inFlight: InFlight.optional().describe(
    'The call of a tool that writes, from the commit before it starts until one has its outcome.',
  ),
  outUsd: z
    .number()
    .optional()
    .describe('US dollars set aside and not settled: for the model call in flight, and for sub-tasks that have not returned.'),
  stranded: z
    .object({ left: z.boolean(), doing: z.string().optional() })
    .optional()
    .describe('No node that met it can go on with its checkpoint: its operator is asked, or has left it so (docs/adr/0015).'),
  earlier: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('What a task that begins again brings along, until the first commit of its new machine.'),
  lost: z.array(z.string()).optional().describe('The last nodes whose claims came to nothing, since the last progress.'),
  deadLetter: z.enum(['kept', 'gone']).optional().describe('It ended as poison; `gone`: an operator has seen to it.'),
  createdAt: z.iso.datetime(),
});
export type StateRecord = z.infer<typeof StateRecord>;

/** A record as read, with the revision that a write must name. */
export interface StoredRecord {
  readonly record: StateRecord;
  readonly revision: number;
  /** How long it is as JSON, where it was written here. */
  readonly chars?: number;
}

/** As far as it can be told at no cost: whoever looks around the bucket must not fall over what a stranger put there. */
const isWhole = ({ id, spec, known, inbox, outbox, plan, ...record }: StateRecord): boolean =>
  isTaskId(id) &&
  typeof spec?.type === 'string' &&
  [known, inbox, outbox, plan].every(Array.isArray) &&
  counters.every((counter) => Number.isSafeInteger(record[counter])) &&
  !Number.isNaN(Date.parse(record.createdAt));
const counters = [
  'epoch',
  'run',
  'ticketSeq',
  'commit',
  'steeringCursor',
  'resultCursor',
  'children',
  'statusSeq',
  'idleClaims',
] as const;

/** The record as JSON has it, where `run` is `t` and `ticketSeq` is `q`. */
type StoredJson = Omit<StateRecord, 'run' | 'ticketSeq'> & { readonly t: number; readonly q: number };
const jsonOf = ({ run: t, ticketSeq: q, ...rest }: StateRecord): StoredJson => ({ ...rest, t, q });
const recordOf = ({ t: run, q: ticketSeq, ...rest }: StoredJson): StateRecord => ({ ...rest, run, ticketSeq });

/** @returns null for what is no record of ours. */
export function parseRecord(data: Uint8Array): StateRecord | null {
  try {
    // Written by us and compared-and-set since: a full parse of every large snapshot would be paid on each claim.
    const record = recordOf(JSON.parse(unpacked(data)) as StoredJson);
    return Phase.safeParse(record.phase).success && isWhole(record) ? record : null;
  } catch {
    return null;
  }
}

/** The value that the bucket keeps for a record, and its length as JSON in characters. */
export function encodeRecord(record: StateRecord): { readonly value: string | Uint8Array; readonly chars: number } {
  const json = JSON.stringify(jsonOf(record));
  return { value: packed(json), chars: json.length };
}

/** A record for a task that nobody has claimed. */
export function newRecord(id: TaskId, spec: TaskSpec, node: string, at: string): StateRecord {
  return {
    id,
    spec,
    instruction: spec.instruction,
    phase: 'ready',
    epoch: 0,
    run: 0,
    ticketSeq: 0,
    node,
    write: '',
    commit: 0,
    steeringCursor: 0,
    resultCursor: 0,
    inbox: [],
    known: [],
    children: 0,
    plan: [],
    machine: null,
    snapshot: null,
    artifacts: [],
    last: null,
    outbox: [],
    statusSeq: 0,
    result: null,
    wakeAt: null,
    doubtfulUntil: null,
    idleClaims: 0,
    createdAt: at,
  };
}

/** The status that a commit carries, appended to the record's outbox. */
export function withStatus(record: StateRecord, status: Omit<Status, 'id' | 'type' | 'commit' | 'epoch' | 'node'>): StateRecord {
  const commit = record.commit + 1;
  const full: Status = { ...status, id: record.id, type: record.spec.type, commit, epoch: record.epoch, node: record.node };
  return { ...record, commit, last: full, outbox: [...record.outbox, full] };
}

export const returned = (steer: string, kind: string, seq: number, reason: string): Receipt => ({
  steer,
  kind,
  seq,
  fate: 'returned',
  reason,
});

/** Those that this record has neither taken nor returned, each once. */
export function unseen<T extends { readonly steer: string }>(record: StateRecord, steers: readonly T[]): T[] {
  const seen = steersOf(record);
  return steers.filter(({ steer }) => !seen.has(steer) && seen.add(steer));
}

/** Ids of every steer that this record has taken or returned: a copy of one is dropped. */
export function steersOf({ known, inbox, snapshot }: StateRecord): Set<string> {
  // Every chart keeps its ledger in `context.steers`.
  const context = snapshot?.context as { steers?: readonly { id: string }[] } | undefined;
  const ledger = Array.isArray(context?.steers) ? (context.steers as readonly { id: string }[]) : [];
  return new Set([...known, ...inbox.map(({ steer }) => steer), ...ledger.map(({ id }) => id)]);
}
