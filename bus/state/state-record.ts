/**
 * The state record of a task is the only thing that decides; `status` and `result` are projections of it (see state-store.ts).
 * D. One result per id: `result` is set by the commit that sets phase `done`, and never again.
 */
import { z } from 'zod';
import { PlanRow, type Receipt, Result, Seal, Status, TaskSpec } from '../messages.ts';
import { TaskId } from '../task-id.ts';
import { packed, unpacked } from './record-codec.ts';
import { isStateRecord } from './record-shape.ts';

/** `unborn`: there is no task yet; the record only keeps steers that were returned (docs/adr/0010). */
export const Phase = z.enum(['unborn', 'ready', 'held', 'parked', 'done']);
export type Phase = z.infer<typeof Phase>;

/** The in-flight call of a tool that writes, and the hash that proves its outcome (docs/adr/0016). */
const InFlight = z.object({
  call: z.string(),
  epoch: z.number().int().describe('Epoch of the claim that started the call last.'),
  node: z.string(),
  proof: z.string().describe('sha256 of a secret that only the worker of this call knows.'),
});
export type InFlight = z.infer<typeof InFlight>;

export const StateRecord = z.object({
  id: TaskId,
  spec: TaskSpec,
  instruction: z.string().describe('The current instruction: that of `spec` until a redirect.'),
  phase: Phase,
  epoch: z.number().int().describe('Number of claims so far.'),
  run: z.number().int().describe('Number of the present or last run, as its ticket names it.'),
  ticketSeq: z.number().int().describe('Stream sequence of that ticket; 0 before the first claim.'),
  node: z.string().describe('The node that wrote the record last.'),
  write: z.string().describe('A fresh id for each write, so that a writer recognises its own write after a lost reply.'),
  commit: z.number().int().describe('Number of statuses so far.'),
  steeringCursor: z.number().int().describe('All messages on the steering subject up to this sequence are taken.'),
  resultCursor: z.number().int(),
  inbox: z
    .array(z.object({ steer: z.string(), kind: z.string(), seq: z.number().int(), by: z.string().optional() }))
    .describe('Steers that were taken and have no final receipt yet.'),
  known: z.array(z.string()).describe('Ids of steers that were returned before they reached the machine.'),
  children: z.number().int().describe('Number n of sub-tasks: sub-tasks 1 to n exist once this is committed.'),
  plan: z.array(PlanRow).describe('The plan of a supervisor, as it is shown to operators.'),
  machine: z.object({ id: z.string(), version: z.number().int() }).nullable(),
  snapshot: z.record(z.string(), z.unknown()).nullable().describe('Persisted snapshot of the machine, without its children.'),
  artifacts: z.array(z.string()),
  last: Status.nullable().describe('The last status.'),
  outbox: z.array(Status).describe('Statuses that are not known to be on the log.'),
  statusSeq: z.number().int().describe('Log sequence of the last status that is known to be there; 0 if there is none.'),
  result: Result.nullable(),
  wakeAt: z.iso
    .datetime()
    .nullable()
    .describe('A parked task is woken at this time even if no message comes, e.g. at its deadline.'),
  doubtfulUntil: z.iso
    .datetime()
    .nullable()
    .describe('Until this time a worker that lost the task may still be running its call.'),
  idleClaims: z.number().int().describe('Number of claims since the last commit that made progress.'),
  inFlight: InFlight.optional().describe(
    'The in-flight call of a tool that writes, from the commit before its start to the commit with its outcome.',
  ),
  outUsd: z
    .number()
    .optional()
    .describe('US dollars reserved and not settled: for the model call in flight and for sub-tasks that have not returned.'),
  stranded: z
    .object({ left: z.boolean(), doing: z.string().optional() })
    .optional()
    .describe('No node so far can restore the checkpoint. The operator is asked, or has chosen `leave` (docs/adr/0015).'),
  earlier: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('Data that a task keeps when it begins again, until the first commit of its new machine.'),
  lost: z.array(z.string()).optional().describe('The last nodes that lost the task without progress, since its last progress.'),
  deadLetter: z
    .enum(['kept', 'gone'])
    .optional()
    .describe('Set if the task ended as poison. `gone`: an operator has dropped or retried its letter.'),
  seal: Seal.optional().describe('In a crew with roles: who has ordered the task (docs/adr/0030).'),
  archived: z
    .string()
    .optional()
    .describe('Only of an imported tree, which never runs: the id of the task where it ran (docs/adr/0039).'),
  createdAt: z.iso.datetime(),
});
export type StateRecord = z.infer<typeof StateRecord>;

/** A record as it was read, with the revision that the next write must name. */
export interface StoredRecord {
  readonly record: StateRecord;
  readonly revision: number;
  /** Length as JSON, in characters; only set if this process has written the record. */
  readonly chars?: number;
}

/** The record as it is stored in JSON, where `run` is `t` and `ticketSeq` is `q`. */
type StoredJson = Omit<StateRecord, 'run' | 'ticketSeq'> & { readonly t: number; readonly q: number };
const jsonOf = ({ run: t, ticketSeq: q, ...rest }: StateRecord): StoredJson => ({ ...rest, t, q });
const recordOf = ({ t: run, q: ticketSeq, ...rest }: StoredJson): StateRecord => ({ ...rest, run, ticketSeq });

/** @returns null if the value is not the state record of the task `id`. */
export function parseRecord(data: Uint8Array, id: string): StateRecord | null {
  try {
    const value: unknown = JSON.parse(unpacked(data));
    if (!isStateRecord(value)) return null;
    const record = recordOf(value as StoredJson);
    return record.id === id ? record : null;
  } catch {
    return null;
  }
}

/**
 * The value that the bucket keeps for a record, and its length as JSON in characters.
 * @throws CoxError `message-too-big` for a record that no reader would unpack.
 */
export function encodeRecord(record: StateRecord): { readonly value: string | Uint8Array; readonly chars: number } {
  const json = JSON.stringify(jsonOf(record));
  return { value: packed(json), chars: json.length };
}

/** A record for a task that nobody has claimed. @param at time of its creation, ISO 8601. */
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

/** The record with one more commit, whose status is appended to the outbox. */
export function withStatus(record: StateRecord, status: Omit<Status, 'id' | 'type' | 'commit' | 'epoch' | 'node'>): StateRecord {
  const commit = record.commit + 1;
  const { question, at } = status;
  const asked = record.last;
  const isSame = question !== null && asked?.question?.id === question.id;
  const full: Status = {
    ...status,
    ...(question !== null && { askedAt: (isSame ? asked.askedAt : undefined) ?? at }),
    ...{ id: record.id, type: record.spec.type, commit, epoch: record.epoch, node: record.node },
  };
  return { ...record, commit, last: full, outbox: [...record.outbox, full] };
}

/** @param by the member who has signed the steer, in a crew with roles. */
export const returned = (steer: string, kind: string, seq: number, reason: string, by?: string): Receipt => ({
  steer,
  kind,
  seq,
  fate: 'returned',
  reason,
  ...(by && { by }),
});

/** The steers that this record has neither taken nor returned, each once. */
export function unseen<T extends { readonly steer: string }>(record: StateRecord, steers: readonly T[]): T[] {
  const seen = steersOf(record);
  return steers.filter(({ steer }) => !seen.has(steer) && seen.add(steer));
}

/** Ids of all steers that this record has taken or returned. A copy of such a steer is dropped. */
export function steersOf({ known, inbox, snapshot }: StateRecord): Set<string> {
  // Every chart keeps its ledger in `context.steers`. A checkpoint of a chart that is not known here may have anything there.
  const context = snapshot?.context as { steers?: readonly ({ id?: string } | null)[] } | undefined;
  const ledger = Array.isArray(context?.steers) ? context.steers.flatMap((entry) => entry?.id ?? []) : [];
  return new Set([...known, ...inbox.map(({ steer }) => steer), ...ledger]);
}
