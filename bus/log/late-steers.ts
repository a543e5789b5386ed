/**
 * Returns steers to tasks that have ended or that never existed: every steer ends in one final receipt (G).
 * Rules `late-steers` and `tombstone` (docs/task-protocol.md).
 */
import type { Bus } from '../bus.ts';
import { noUsage, type Status, TaskSpec } from '../messages.ts';
import { publish } from '../publish.ts';
import { newRecord, returned, type StateRecord, type StoredRecord, unseen, withStatus } from '../state/state-record.ts';
import { createState, readState, replaceState } from '../state/state-store.ts';
import type { TaskId } from '../task-id.ts';
import { flush } from './projection.ts';
import { readSteering, type Steering } from './steering-log.ts';

const kindOf = ({ message }: Steering) => message?.type ?? 'unknown';

/**
 * Returns all unread steers to a task in phase `done`, in one commit. Safe to race: after a conflict the record is read again.
 */
export async function returnLate(bus: Bus, id: string, at: () => string, signal?: AbortSignal): Promise<void> {
  for (;;) {
    const stored = await readState(bus, id);
    if (stored?.record.phase !== 'done') return;
    const { record } = stored;
    const unread = await readSteering(bus, id, record.steeringCursor);
    let next = record;
    if (unread.length > 0) {
      const fresh = unseen(record, unread);
      const receipts = fresh.map((s) =>
        returned(s.steer, kindOf(s), s.seq, s.problem ?? `the task has ended: ${record.result?.outcome}`),
      );
      next = { ...record, steeringCursor: unread.at(-1)!.seq, known: [...record.known, ...fresh.map(({ steer }) => steer)] };
      if (record.last && receipts.length > 0) {
        const { note: _, ...last } = record.last;
        next = withStatus(next, { ...last, at: at(), receipts });
      }
      const written = await replaceState(bus, stored, next, signal);
      if (!written) continue;
    }
    await flush(bus, next, signal);
    return;
  }
}

const nobody = (at: string) => ({
  at,
  state: 'idle' as const,
  step: 0,
  backend: null,
  paused: false,
  question: null,
  usage: noUsage,
  outcome: null,
});

/**
 * Returns the steers to an id that no task has (docs/adr/0010). A state record in phase `unborn` keeps their ids, so that a
 * sub-task that is planned later does not take the same steers again.
 */
export async function returnUnborn(bus: Bus, id: TaskId, node: string, at: () => string): Promise<void> {
  for (;;) {
    const stored = await readState(bus, id);
    if (stored && stored.record.phase !== 'unborn') return;
    const spec = TaskSpec.parse({ type: 'unknown', instruction: '-' });
    const record: StateRecord = stored?.record ?? { ...newRecord(id, spec, node, at()), phase: 'unborn' };
    const unread = await readSteering(bus, id, record.steeringCursor);
    const fresh = unseen(record, unread);
    let written: StoredRecord | null = stored;
    if (unread.length > 0) {
      const receipts = fresh.map((s) => returned(s.steer, kindOf(s), s.seq, s.problem ?? `there is no task ${id}`));
      const known = [...record.known, ...fresh.map(({ steer }) => steer)];
      const next = withStatus({ ...record, steeringCursor: unread.at(-1)!.seq, known }, { ...nobody(at()), receipts });
      written = stored ? await replaceState(bus, stored, next) : await createState(bus, next);
      if (!written) continue;
    }
    if (written) await flush(bus, written.record);
    return;
  }
}

/** Returns a steer to tokens that cannot be a task id: publishes the receipt on their status subject, without a record. */
export async function returnUnknown(bus: Bus, tokens: string, steering: Steering, node: string, at: string): Promise<void> {
  const receipt = returned(steering.steer, kindOf(steering), steering.seq, steering.problem ?? `there is no task ${tokens}`);
  const tombstone: Status = { ...nobody(at), id: tokens, type: 'unknown', commit: 1, epoch: 0, node, receipts: [receipt] };
  await publish(bus, `${bus.subjects.namespace}.tasks.${tokens}.status`, JSON.stringify(tombstone), {
    msgID: `unknown:${steering.seq}`,
  });
}
