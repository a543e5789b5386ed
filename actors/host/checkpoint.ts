/**
 * A checkpoint is compared with the chart before it is restored (docs/adr/0015). A checkpoint of an older version is migrated;
 * one that this build cannot continue from is never restored. XState alone would silently drop a child whose source it does not
 * know. Rule `checkpoint-version` (docs/task-protocol.md).
 */
import { createActor } from 'xstate';
import { z } from 'zod';
import type { Bus } from '../../bus/bus.ts';
import { hasUnreadSteers } from '../../bus/log/steering-log.ts';
import type { StateRecord } from '../../bus/state/state-record.ts';
import { type Chart, type Checkpoint, migrate } from '../../machines/charts.ts';
import { messageOf } from '../../platform/errors.ts';

export type Opened =
  /** `note`: a remark for the operator. */
  | { readonly kind: 'fits'; readonly record: StateRecord; readonly note?: string }
  | { readonly kind: 'stranded'; readonly why: string };

/** The fields that the checkpoint of every chart has. */
const Shape = z.looseObject({
  context: z.looseObject({
    instruction: z.string(),
    step: z.number(),
    paused: z.boolean(),
    steers: z.array(z.looseObject({ id: z.string(), fate: z.string() })),
  }),
});

const stranded = (why: string): Opened => ({ kind: 'stranded', why });

export function openCheckpoint(record: StateRecord, chart: Chart): Opened {
  const { machine, snapshot } = record;
  if (machine === null || snapshot === null) return { kind: 'fits', record };
  const { id } = chart.machine;
  if (machine.id !== id)
    return stranded(`its checkpoint is of the machine ${machine.id}, and this node runs such tasks with ${id}`);
  if (machine.version > chart.version)
    return stranded(`its checkpoint is of ${id} ${machine.version}, and this node knows ${id} up to ${chart.version}`);
  const now = upToDate(chart, machine.version, snapshot);
  if (!now.ok) return stranded(now.why);
  const problem = whyNotRestorable(chart, now.checkpoint);
  if (problem !== null) return stranded(`its checkpoint (${id} ${machine.version}) can't be restored: ${problem}`);
  const fitting = { ...record, machine: { id, version: chart.version }, snapshot: now.checkpoint };
  if (machine.version < chart.version)
    return {
      kind: 'fits',
      record: fitting,
      note: `its checkpoint was migrated from ${id} ${machine.version} to ${chart.version}`,
    };
  return { kind: 'fits', record, ...(record.stranded && { note: 'it goes on: this node knows its checkpoint' }) };
}

function upToDate(
  chart: Chart,
  version: number,
  snapshot: Checkpoint,
): { ok: true; checkpoint: Record<string, unknown> } | { ok: false; why: string } {
  const { id } = chart.machine;
  try {
    const checkpoint = migrate(chart, version, snapshot);
    if (checkpoint) return { ok: true, checkpoint: { ...checkpoint } };
    return { ok: false, why: `its checkpoint is of ${id} ${version}, and no migration leads to ${id} ${chart.version}` };
  } catch (cause) {
    return {
      ok: false,
      why: `its checkpoint (${id} ${version}) could not be migrated to ${id} ${chart.version}: ${messageOf(cause)}`,
    };
  }
}

function whyNotRestorable({ machine }: Chart, checkpoint: Checkpoint): string | null {
  const shape = Shape.safeParse(checkpoint);
  if (!shape.success) return z.prettifyError(shape.error).replaceAll(/\s+/g, ' ');
  // The actor is never started, so no effect runs. A state that the chart does not have becomes an error of the actor.
  const restored = createActor(machine, { snapshot: { ...checkpoint, children: {} } as never }).getSnapshot();
  return restored.status === 'error' ? messageOf(restored.error) : null;
}

/**
 * Number of deliveries of a ticket for which a newer checkpoint is left to other nodes. After them this node asks the operator.
 */
const offers = 12;

/**
 * Asked before a claim. A newer checkpoint means that another node has been upgraded, so the task is left to that node, unless
 * this task is stranded and has unread steers.
 */
export async function isLeftToOthers(
  bus: Bus,
  record: StateRecord,
  { machine, version }: Chart,
  deliveries: number,
): Promise<boolean> {
  const isNewer = record.machine?.id === machine.id && record.machine.version > version;
  if (!isNewer || deliveries > offers) return false;
  if (!record.stranded) return true;
  return !(await hasUnreadSteers(bus, record.id, record.steeringCursor));
}
