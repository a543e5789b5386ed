/** Builds the state record that a commit writes, from the previous record and the present state of the machine. */
import type { Receipt, Result } from '../../bus/messages.ts';
import { isReadable } from '../../bus/state/record-shape.ts';
import { type InFlight, type StateRecord, withStatus } from '../../bus/state/state-record.ts';
import { inDoubt } from '../../machines/budget.ts';
import { spend, totalUsage } from '../../machines/conversation.ts';
import type { HostedActor } from './hosted-actor.ts';
import type { Inbox } from './receipts.ts';
import type { Found, Role } from './role.ts';
import type { VitalSigns } from './vital-signs.ts';

export interface Progress {
  readonly phase: 'held' | 'ready' | 'parked' | 'done';
  readonly at: Date;
  readonly actor: HostedActor;
  readonly role: Role;
  readonly signs: VitalSigns;
  readonly steering: {
    readonly cursor: number;
    readonly receipts: readonly Receipt[];
    readonly inbox: Inbox;
    readonly known: readonly string[];
  };
  readonly resultCursor: number;
  readonly inFlight: InFlight | undefined;
  /** `Role.progress` at the time of the claim; null if the task had not begun. */
  readonly claimedAt: string | null;
}

/** @throws TypeError for a machine that shows something else than a record can have, as a spoiled checkpoint may have it do. */
export async function nextRecord(record: StateRecord, progress: Progress): Promise<StateRecord> {
  const next = await recordOf(record, progress);
  // Every reader would pass such a record over, and the task would be gone.
  if (!isReadable(next)) throw new TypeError('its machine shows something that no state record can have');
  return next;
}

async function recordOf(record: StateRecord, progress: Progress): Promise<StateRecord> {
  const { phase, at, actor, role, signs, steering, resultCursor, inFlight, claimedAt } = progress;
  const { snapshot, crash, lastTransitionAt } = actor;
  const view = role.view(snapshot);
  const wakeAt = role.deadlineAt(snapshot);
  const isIdle = role.progress(snapshot) === claimedAt;
  return withStatus(
    {
      ...record,
      phase,
      instruction: snapshot.context.instruction,
      steeringCursor: steering.cursor,
      resultCursor,
      inbox: [...steering.inbox],
      known: [...steering.known],
      children: view.children,
      plan: [...view.plan],
      machine: role.machine,
      snapshot: actor.checkpoint,
      inFlight,
      outUsd: view.outUsd || undefined,
      stranded: undefined,
      earlier: undefined,
      artifacts: [...signs.artifacts],
      wakeAt: phase === 'parked' && wakeAt !== null ? new Date(wakeAt).toISOString() : null,
      // A claim that ends in a park or a release is not counted as a lost worker (docs/adr/0011).
      idleClaims: isIdle ? Math.max(0, record.idleClaims - (phase === 'held' ? 0 : 1)) : 0,
      result: phase === 'done' ? await resultOf(record, progress) : null,
    },
    {
      at: at.toISOString(),
      state: phase === 'done' ? 'done' : view.state,
      step: snapshot.context.step,
      backend: signs.backend ?? snapshot.context.backend,
      paused: snapshot.context.paused,
      question: snapshot.context.question ?? null,
      receipts: [...steering.receipts],
      usage: view.usage,
      outcome: crash === null ? view.outcome : 'failed',
      ...(view.doing && { doing: view.doing }),
      ...(view.effects && view.effects.length > 0 && { effects: [...view.effects] }),
      ...(view.subTasks && { subTasks: view.subTasks }),
      ...(lastTransitionAt && { lastTransitionAt }),
      ...signs.told(snapshot.context.step, view.told),
    },
  );
}

async function resultOf({ id, spec }: StateRecord, { at, actor, role, signs }: Progress): Promise<Result> {
  const found = await role.result(actor.snapshot);
  const artifacts = [...new Set([...found.salvage.artifacts, ...signs.artifacts])];
  const result = { id, type: spec.type, at: at.toISOString(), ...found, salvage: { ...found.salvage, artifacts } };
  if (actor.crash === null) return result;
  return {
    ...result,
    outcome: 'failed',
    output: null,
    failure: { code: 'machine-failed', message: actor.crash, retryable: false },
    ...unsettledUsage(found, role.view(actor.snapshot).outUsd),
  };
}

/** A failed machine settles nothing any more. Its open reservations may have been spent, so they count as estimated cost. */
function unsettledUsage({ usageByBackend }: Found, outUsd: number): Pick<Found, 'usage' | 'usageByBackend'> {
  const usage = outUsd > 0 ? spend(usageByBackend, 'unsettled', inDoubt(outUsd)) : usageByBackend;
  return { usage: totalUsage(usage), usageByBackend: { ...usage } };
}
