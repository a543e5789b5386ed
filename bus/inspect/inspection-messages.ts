/** The schemas of the messages of inspection (docs/adr/0040). No stream stores them. */
import { z } from 'zod';
import { Root, TaskId } from '../task-id.ts';

/** The longest time, in ms, for which one announcement counts. */
export const maxWantedMs = 30_000;

/** On `cox.inspect.wanted`: somebody listens. Nodes publish on `cox.inspect.<id>` only for tasks that such a message asks for. */
export const InspectionWanted = z.object({
  listener: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/)
    .describe('Unique among the listeners. The last message of a listener counts.'),
  of: z
    .union([z.literal('*'), Root, TaskId])
    .describe('A tree by its root (`k3xq`), a task with all below it (`k3xq.4`), or all tasks (`*`).'),
  forMs: z.number().int().min(0).max(maxWantedMs).describe('For how long it counts. 0: the listener has left.'),
});
export type InspectionWanted = z.infer<typeof InspectionWanted>;

const Event = z.looseObject({ type: z.string() });
const Snapshot = z.looseObject({
  status: z.enum(['active', 'done', 'error', 'stopped']),
  value: z.unknown().optional(),
  context: z.unknown().optional(),
});
const common = {
  task: TaskId,
  actor: z
    .string()
    .optional()
    .describe('The effect that it is about, such as `think`. Left out: the machine of the task itself.'),
  at: z.iso.datetime(),
  node: z.string(),
  epoch: z.number().int().nonnegative().describe('Number of the claim under which the machine runs.'),
  seq: z.number().int().nonnegative().describe('Counts the messages that the node has made of this claim, from 1.'),
  skipped: z
    .number()
    .int()
    .positive()
    .optional()
    .describe('Number of messages before this one that were left out because there were too many.'),
  past: z.literal(true).optional().describe('Put together from the log. `cox inspect` makes such messages; no node sends them.'),
};

/** On `cox.inspect.<id>`. Secrets are masked, and long values are cut. */
export const Inspected = z.discriminatedUnion('type', [
  z.object({
    ...common,
    type: z.literal('@xstate.actor'),
    machine: z.string().optional().describe('Name of its chart, which `machine` describes. Left out for an effect.'),
    version: z.number().int().optional(),
    snapshot: Snapshot,
  }),
  z.object({
    ...common,
    type: z.literal('@xstate.event'),
    event: Event,
    source: z.string().optional().describe('The effect that has sent it; left out: the host.'),
  }),
  z.object({ ...common, type: z.literal('@xstate.snapshot'), event: Event, snapshot: Snapshot }),
]);
export type Inspected = z.infer<typeof Inspected>;
export type InspectedSnapshot = z.infer<typeof Snapshot>;
