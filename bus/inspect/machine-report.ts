/** The schemas of the verb `machine`: a chart as it is, and where a task is in it. */
import { z } from 'zod';
import { TaskState } from '../messages.ts';
import { TaskId } from '../task-id.ts';

export const MachineQuery = z
  .object({
    machine: z.string().min(1).max(64).optional().describe('Name of a chart: `sub-agent`, `supervisor` or `primary`.'),
    task: TaskId.optional().describe('A task: its chart, and where it is in it.'),
  })
  .strict()
  .refine(({ machine, task }) => (machine === undefined) !== (task === undefined), 'expected either machine or task');
export type MachineQuery = z.infer<typeof MachineQuery>;

/** A transition of the chart that leads on from the present state. */
export const NextEvent = z.object({
  event: z.string().describe('Its event, in the form `TOOL_RETURNED`; empty: it is taken at once.'),
  target: z.string().nullable().describe('Path of the state that it leads to, in the form `running.thinking`; null: it stays.'),
  guard: z.string().optional().describe('Name of its condition; left out if it has none.'),
  open: z.boolean().describe('Whether such an event would be handled by this transition now.'),
  why: z.string().optional().describe('The condition in words, and why it holds or does not hold.'),
});
export type NextEvent = z.infer<typeof NextEvent>;

/** A state that the task went through, by one of its statuses. */
export const PassedState = z.object({
  commit: z.number().int(),
  at: z.iso.datetime(),
  state: TaskState,
  path: z.string().describe('Path of the state in the chart, in the form `running.acting`.'),
  step: z.number().int().nonnegative(),
  node: z.string(),
  backend: z.string().nullable(),
  doing: z.string().optional().describe('The tool call that was in flight, in words.'),
  why: z.string().optional().describe('What led there, in words, as far as the status tells.'),
});
export type PassedState = z.infer<typeof PassedState>;

export const LiveMachine = z.object({
  task: TaskId,
  type: z.string(),
  at: z.iso.datetime().nullable().describe('Time of the commit that this is read from; null: the task was not claimed yet.'),
  value: z.unknown().describe('State value of the machine, such as `"done"` or `{ "running": "thinking" }`.'),
  states: z.array(z.string()).describe('Paths of the active states, outermost first.'),
  step: z.number().int().nonnegative(),
  next: z.array(NextEvent).describe('The transitions of the active states, innermost first, as XState tries them.'),
  path: z.array(PassedState).describe('The states that it went through, oldest first; the last is the present one.'),
  pathLeftOut: z.number().int().nonnegative().describe('Number of earlier states that `path` leaves out.'),
  context: z.record(z.string(), z.unknown()).describe('Context of the machine. Secrets are masked, and long values are cut.'),
  unreadable: z.string().optional().describe('Why this node cannot read the checkpoint. `next` and `context` are empty then.'),
});
export type LiveMachine = z.infer<typeof LiveMachine>;

/** The reply to `machine`. */
export const MachineReport = z.object({
  machine: z.string().describe('Name of the chart.'),
  version: z.number().int().describe('Its version. A checkpoint names the version that it was written by.'),
  definition: z
    .record(z.string(), z.unknown())
    .describe(
      'The chart, as `createMachine` of XState takes it: `id`, `initial`, `states` with `on`, `always`, `invoke`, `entry`, `exit`, `tags`, `description`. Each transition is an object with `target` (`#<id>.<path>`), `guard` and `actions` by name, in the order in which they are tried.',
    ),
  live: LiveMachine.optional().describe('Where the task is; left out unless a task was asked for.'),
});
export type MachineReport = z.infer<typeof MachineReport>;
