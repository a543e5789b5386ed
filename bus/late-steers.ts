/** What operators sent to a task that had ended already, or that never was: every steer ends in one final receipt (DESIGN, G). */
import type { Bus } from './bus.ts';
import type { Status } from './messages.ts';
import { flush } from './projection.ts';
import { publish } from './publish.ts';
import { readState, replaceState, returned, withStatus } from './state-record.ts';
import { readSteering, type Steering } from './steering-log.ts';

const kindOf = ({ message }: Steering) => message?.type ?? 'unknown';

/** Returns everything unread of a task in phase `done`, in one commit. Safe to race: who loses the compare-and-set reads again. */
export async function returnLate(bus: Bus, id: string, at: () => string, signal?: AbortSignal): Promise<void> {
  for (;;) {
    const held = await readState(bus, id);
    if (held?.record.phase !== 'done') return;
    const { record } = held;
    const unread = await readSteering(bus, id, record.steeringCursor);
    let next = record;
    if (unread.length > 0) {
      const known = new Set([...record.known, ...record.inbox.map(({ steer }) => steer)]);
      const fresh = unread.filter(({ steer }) => !known.has(steer) && known.add(steer));
      const receipts = fresh.map((s) =>
        returned(s.steer, kindOf(s), s.seq, s.problem ?? `the task has ended: ${record.result?.outcome}`),
      );
      next = { ...record, steeringCursor: unread.at(-1)!.seq, known: [...known] };
      if (record.last && receipts.length > 0) {
        const { note: _, ...last } = record.last;
        next = withStatus(next, { ...last, at: at(), receipts });
      }
      const written = await replaceState(bus, held, next, signal);
      if (!written) continue;
    }
    await flush(bus, next, signal);
    return;
  }
}

/** Answers a steer for an id that no task has: a tombstone on the status subject of that id. */
export async function returnUnknown(bus: Bus, tokens: string, steering: Steering, node: string, at: string): Promise<void> {
  const reason = steering.problem ?? `there is no task ${tokens}`;
  const tombstone: Status = {
    id: tokens,
    type: 'unknown',
    commit: 1,
    epoch: 0,
    at,
    node,
    state: 'done',
    step: 0,
    backend: null,
    paused: false,
    question: null,
    receipts: [returned(steering.steer, kindOf(steering), steering.seq, reason)],
    usage: { inputTokens: 0, outputTokens: 0, costUsd: 0 },
    outcome: null,
  };
  await publish(bus, `${bus.subjects.namespace}.tasks.${tokens}.status`, JSON.stringify(tombstone), {
    msgID: `unknown:${steering.seq}`,
  });
}
