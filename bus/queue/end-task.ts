/**
 * Ends a task without its machine: its type is unknown, its parent has ended, or it has killed too many workers.
 * Rule `done` (docs/task-protocol.md).
 */
import type { Bus } from '../bus.ts';
import { flush } from '../log/projection.ts';
import { remembered } from '../log/returned-steers.ts';
import { readSteering, type Steering } from '../log/steering-log.ts';
import { type Failure, noUsage, type Receipt, type Result, type Usage } from '../messages.ts';
import { isTooBig } from '../publish.ts';
import { returned, type StateRecord, type StoredRecord, unseen, withStatus } from '../state/state-record.ts';
import { createState, replaceState } from '../state/state-store.ts';
import { sendLetter } from './dead-letter-stream.ts';

/**
 * Ends a task by one commit with its result and a final receipt for every steer that it has taken and for a page of unread ones.
 * Then flushes it, and sends its dead letter.
 * @param stored with revision 0: there is no record yet, and this commit creates it.
 * @param failure null: the task was cancelled.
 * @param more `findings`: salvaged findings. `applied`: id of the steer that ended the task.
 * @returns false if the compare-and-set was lost because somebody else has written the record meanwhile.
 */
export async function endTask(
  bus: Bus,
  stored: StoredRecord,
  failure: Failure | null,
  at: string,
  { findings = [], applied }: { readonly findings?: string[]; readonly applied?: string } = {},
): Promise<boolean> {
  const { record } = stored;
  const { step = 0, backend = record.spec.backend } = record.last ?? {};
  const reason = `the task has ended: ${failure?.message ?? 'it was cancelled'}`;
  // A waker returns those behind this page (rule `late-steers`).
  const { steers } = await readSteering(bus, record.id, record.steeringCursor);
  const fresh = unseen(record, steers);
  const usage = spentBy(record);
  const next = withStatus(
    {
      ...record,
      phase: 'done',
      // H. Set by the commit that ends the task, so that no crash loses the letter.
      ...(failure?.code === 'poison' && { deadLetter: 'kept' as const }),
      steeringCursor: steers.at(-1)?.seq ?? record.steeringCursor,
      inbox: [],
      outUsd: undefined,
      known: remembered(record.known, fresh),
      result: resultOf(record, failure, findings, usage, at),
    },
    {
      ...{ at, state: 'done', step, backend, paused: false, question: null, usage },
      receipts: finalReceipts(record, fresh, reason, applied),
      outcome: failure ? 'failed' : 'cancelled',
    },
  );
  const write = (it: StateRecord) => (stored.revision === 0 ? createState(bus, it) : replaceState(bus, stored, it));
  const written = await write(next).catch((cause: unknown) => {
    if (!isTooBig(cause)) throw cause;
    return write(shortest(next));
  });
  if (!written) return false;
  await flush(bus, written.record, undefined, true);
  await sendLetter(bus, written.record);
  return true;
}

/**
 * The end of a record that has become too long to be stored, without what only a machine or a reader of the plan would need: a
 * task that cannot be written must end all the same (rule `fits`). Statuses that are not on the log yet go with it.
 */
const shortest = (record: StateRecord): StateRecord => ({
  ...record,
  spec: { ...record.spec, context: [], plan: null },
  snapshot: null,
  machine: null,
  earlier: undefined,
  outbox: record.outbox.slice(-1),
  result: record.result && { ...record.result, salvage: { ...record.result.salvage, findings: [] } },
});

/** A final receipt for each steer in the inbox and each unread steer: `returned` for all but the steer `applied`. */
function finalReceipts(record: StateRecord, fresh: readonly Steering[], reason: string, applied: string | undefined): Receipt[] {
  return [
    ...record.inbox.map(({ steer, kind, seq, by }) => returned(steer, kind, seq, reason, by)),
    ...fresh.flatMap(({ steer, seq, message, problem, by }): Receipt[] => {
      const kind = message?.type ?? 'unknown';
      if (steer !== applied) return [returned(steer, kind, seq, problem ?? reason, by)];
      const base = { steer, kind, seq, ...(by && { by }) };
      return [
        { ...base, fate: 'accepted' },
        { ...base, fate: 'applied', step: record.last?.step ?? 0 },
      ];
    }),
  ];
}

function resultOf(record: StateRecord, failure: Failure | null, findings: string[], usage: Usage, at: string): Result {
  const { id, spec, instruction, artifacts, last } = record;
  return {
    id,
    type: spec.type,
    outcome: failure ? 'failed' : 'cancelled',
    output: null,
    failure,
    salvage: { findings, remaining: instruction, artifacts, steps: last?.step ?? 0 },
    usage,
    usageByBackend: usage === noUsage ? {} : { [last?.backend ?? 'unknown']: usage },
    at,
  };
}

/** Counts the reserved money as spent, since it may have been and no machine runs that could find out. */
function spentBy({ last, outUsd = 0 }: StateRecord): Usage {
  const usage = last?.usage ?? noUsage;
  if (outUsd === 0) return usage;
  return { ...usage, costUsd: usage.costUsd + outUsd, estimatedUsd: (usage.estimatedUsd ?? 0) + outUsd };
}
