/**
 * Returns steers to tasks that have ended or that never existed: every steer ends in one final receipt (G). Each commit returns a
 * page of them, so that memory and record stay small however many were sent.
 * Rules `late-steers`, `tombstone` and `pages` (docs/task-protocol.md).
 */
import type { Bus } from '../bus.ts';
import { noUsage, type Status, TaskSpec } from '../messages.ts';
import { publish } from '../publish.ts';
import { newRecord, returned, type StateRecord, type StoredRecord, unseen, withStatus } from '../state/state-record.ts';
import { createState, readState, replaceState } from '../state/state-store.ts';
import type { TaskId } from '../task-id.ts';
import { flush } from './projection.ts';
import { remembered } from './returned-steers.ts';
import { readSteering, type Steering } from './steering-log.ts';

const kindOf = ({ message }: Steering) => message?.type ?? 'unknown';

type Standing = Omit<Status, 'id' | 'type' | 'commit' | 'epoch' | 'node'>;
/** The record that returns the steers, its status, and the reason for the senders. */
interface Addressee {
  readonly record: StateRecord;
  readonly status: Standing;
  readonly why: string;
}

/**
 * Returns all unread steers to a task in phase `done`. Safe to race: after a conflict the record is read again.
 * @returns the log sequence up to which all are returned and told of; null if the task is not done.
 */
export const returnLate = (bus: Bus, id: TaskId, at: () => string): Promise<number | null> =>
  returnUnread(bus, id, (stored) => {
    if (stored?.record.phase !== 'done') return null;
    const { record } = stored;
    const { note: _, ...last } = record.last ?? nobody(at());
    return { record, status: { ...last, at: at() }, why: `the task has ended: ${record.result?.outcome}` };
  });

/**
 * Returns the steers to an id that no task has (docs/adr/0010). A state record in phase `unborn` keeps their ids, so that a
 * sub-task that is planned later does not take the same steers again.
 * @returns as `returnLate` does; null if the task exists by now.
 */
export const returnUnborn = (bus: Bus, id: TaskId, node: string, at: () => string): Promise<number | null> =>
  returnUnread(bus, id, (stored) => {
    if (stored && stored.record.phase !== 'unborn') return null;
    const spec = TaskSpec.parse({ type: 'unknown', instruction: '-' });
    const record: StateRecord = stored?.record ?? { ...newRecord(id, spec, node, at()), phase: 'unborn' };
    return { record, status: nobody(at()), why: `there is no task ${id}` };
  });

async function returnUnread(
  bus: Bus,
  id: TaskId,
  addresseeOf: (stored: StoredRecord | null) => Addressee | null,
): Promise<number | null> {
  let isResultTold = false;
  for (let stored = await readState(bus, id); ; ) {
    const addressee = addresseeOf(stored);
    if (!addressee) return null;
    const { record, status, why } = addressee;
    // The statuses of earlier commits go out first, so that this commit need not carry them.
    const statusSeq = await flush(bus, isResultTold ? { ...record, result: null } : record);
    isResultTold = true;
    const { steers } = await readSteering(bus, id, record.steeringCursor);
    if (steers.length === 0) return record.steeringCursor;
    const fresh = unseen(record, steers);
    const receipts = fresh.map((it) => returned(it.steer, kindOf(it), it.seq, it.problem ?? why, it.by));
    const known = remembered(record.known, fresh);
    const taken = { ...record, outbox: [], statusSeq, steeringCursor: steers.at(-1)!.seq, known };
    const next = receipts.length > 0 ? withStatus(taken, { ...status, receipts }) : taken;
    stored = (stored ? await replaceState(bus, stored, next) : await createState(bus, next)) ?? (await readState(bus, id));
  }
}

const nobody = (at: string): Standing => ({
  at,
  state: 'idle',
  step: 0,
  backend: null,
  paused: false,
  question: null,
  receipts: [],
  usage: noUsage,
  outcome: null,
});

/** Returns a steer to tokens that cannot be a task id: publishes the receipt on their status subject, without a record. */
export async function returnUnknown(bus: Bus, tokens: string, steering: Steering, node: string, at: string): Promise<void> {
  const { steer, seq, problem, by } = steering;
  const receipt = returned(steer, kindOf(steering), seq, problem ?? `there is no task ${tokens}`, by);
  const tombstone: Status = { ...nobody(at), id: tokens, type: 'unknown', commit: 1, epoch: 0, node, receipts: [receipt] };
  await publish(bus, `${bus.subjects.namespace}.tasks.${tokens}.status`, JSON.stringify(tombstone), {
    msgID: `unknown:${seq}`,
  });
}
