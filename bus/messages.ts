/**
 * Every message that crosses the bus has one zod schema here; its type is inferred from it, and docs/protocol is generated from it.
 * Keys are camelCase. Times are ISO 8601 in UTC, costs US dollars, tokens as the backend counted them.
 */
import { z } from 'zod';
import { TaskId } from './task-id.ts';

/** The longest text an operator may send in one message, in characters. */
export const maxSteerChars = 32_768;
/** The longest goal or instruction, in characters. */
export const maxInstructionChars = 65_536;

const SteerId = z
  .string()
  .min(1)
  .max(128)
  .describe(
    'Unique within the task, and not beginning with `seq:`. Default: the Nats-Msg-Id header, else `seq:<stream sequence>`.',
  );
const Text = z.string().min(1).max(maxSteerChars);
const Name = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[a-z][a-z0-9_-]*$/, 'lower case letters, digits, - and _, starting with a letter');

export const TaskType = Name.describe('What kind of agent does the task: `supervisor`, or a kind of the roster.');
export const Urgency = z.enum(['now', 'next-step', 'after']);
export type Urgency = z.infer<typeof Urgency>;

export const Usage = z.object({
  inputTokens: z.number().int().nonnegative(),
  outputTokens: z.number().int().nonnegative(),
  costUsd: z.number().nonnegative(),
  estimatedUsd: z
    .number()
    .positive()
    .optional()
    .describe('How much of the cost is no bill: the most that calls may have cost of which none came.'),
});
export type Usage = z.infer<typeof Usage>;
export const noUsage: Usage = { inputTokens: 0, outputTokens: 0, costUsd: 0 };

export const Failure = z.object({ code: z.string(), message: z.string(), retryable: z.boolean() });
export type Failure = z.infer<typeof Failure>;

/** A node of a plan, as a model, a plan file or an operator names it. */
export const PlanTask = z.object({
  key: z
    .string()
    .min(1)
    .max(64)
    .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, 'letters, digits, ., - and _'),
  type: TaskType,
  instruction: z.string().min(1).max(maxInstructionChars),
  needs: z.array(z.string().min(1).max(64)).max(16).default([]),
  after: z.array(z.string().min(1).max(64)).max(64).default([]),
  backend: z.string().min(1).max(64).nullable().default(null),
});
export type PlanTask = z.infer<typeof PlanTask>;

export const Reduce = z.discriminatedUnion('by', [
  z.object({ by: z.literal('orchestrator'), instruction: z.string().max(maxInstructionChars).default('') }),
  z.object({
    by: z.literal('backend'),
    backend: z.string().min(1).max(64),
    instruction: z.string().max(maxInstructionChars).default(''),
  }),
  z.object({ by: z.enum(['concat', 'json', 'vote']) }),
]);
export const PlanSpec = z.object({ tasks: z.array(PlanTask).max(100_000), reduce: Reduce });
export type PlanSpec = z.infer<typeof PlanSpec>;

/** What a task is asked to do; fixed at dispatch. */
export const TaskSpec = z.object({
  type: TaskType,
  instruction: z.string().min(1).max(maxInstructionChars),
  needs: z.array(z.string().min(1).max(64)).max(16).default([]).describe('Capabilities its backend must be good at.'),
  backend: z.string().min(1).max(64).nullable().default(null).describe('A backend by name, or null to let the roster route.'),
  workspace: z
    .string()
    .max(4096)
    .nullable()
    .default(null)
    .describe('Absolute folder its file tools are confined to; null: the default of the node.'),
  deadlineAt: z.iso.datetime().nullable().default(null),
  limits: z
    .object({ steps: z.number().int().min(1).max(10_000), costUsd: z.number().nonnegative().nullable() })
    .partial()
    .default({}),
  plan: PlanSpec.nullable().default(null).describe('For a supervisor: the plan, where it is not to make one itself.'),
  avoid: z
    .array(z.string().max(64))
    .max(64)
    .default([])
    .describe('Backends that are not to be used: an earlier attempt failed there.'),
  context: z
    .array(z.object({ title: z.string().max(256), text: z.string().max(262_144) }))
    .max(64)
    .default([])
    .describe('Results of the sub-tasks this one comes after.'),
});
export type TaskSpec = z.infer<typeof TaskSpec>;

/** On `cox.tasks.<type>.pending` and `.wake`: a message is one run of a task. */
export const TicketMessage = z.object({
  id: TaskId,
  t: z.number().int().min(1).describe('The run this ticket is for: one more than the state record names.'),
  spec: TaskSpec.optional().describe('For a sub-task, whose state is created at its first claim.'),
});
export type TicketMessage = z.infer<typeof TicketMessage>;

const common = { id: SteerId.optional(), from: z.string().max(128).optional() };
const Expect = z.object({ step: z.number().int().nonnegative() }).strict();
/** On `cox.tasks.<id>.steering`, as JSON. A payload that is no JSON object is a correction in plain text: `{ type: 'steer', text }`. */
export const SteeringMessage = z.discriminatedUnion('type', [
  z
    .object({ ...common, type: z.literal('steer'), text: Text, urgency: Urgency.default('now'), expect: Expect.optional() })
    .strict(),
  z.object({ ...common, type: z.literal('redirect'), text: Text, expect: Expect.optional() }).strict(),
  z.object({ ...common, type: z.literal('answer'), question: z.string().min(1).max(64), text: Text }).strict(),
  z.object({ ...common, type: z.literal('swap'), backend: z.string().min(1).max(64) }).strict(),
  z
    .object({
      ...common,
      type: z.literal('budget'),
      steps: z.number().int().min(1).max(10_000).optional(),
      costUsd: z.number().positive().optional(),
    })
    .strict()
    .refine(({ steps, costUsd }) => steps !== undefined || costUsd !== undefined, 'expected steps, costUsd or both'),
  z.object({ ...common, type: z.literal('pause') }).strict(),
  z.object({ ...common, type: z.literal('resume') }).strict(),
  z.object({ ...common, type: z.literal('cancel'), reason: z.string().max(1024).optional() }).strict(),
  z.object({ ...common, type: z.literal('add'), task: PlanTask }).strict(),
  z.object({ ...common, type: z.literal('drop'), key: z.string().min(1).max(64) }).strict(),
  z
    .object({
      ...common,
      type: z.literal('rerun'),
      key: z.string().min(1).max(64),
      instruction: Text.optional(),
      backend: z.string().min(1).max(64).optional(),
    })
    .strict(),
]);
export type SteeringMessage = z.infer<typeof SteeringMessage>;
export type SteeringType = SteeringMessage['type'];
/** Every type of steering message, in the order of the schema. */
export const steeringTypes: readonly SteeringType[] = SteeringMessage.options.map(({ shape }) => shape.type.value);

/**
 * On `cox.tasks.<id>.steering` as well, and nobody's but a worker's: what became of a call that it was in when it lost the task. Taken only by
 * a task that is in doubt about this very run of it (docs/adr/0016).
 */
export const CallOutcome = z
  .object({
    type: z.literal('outcome'),
    id: SteerId,
    from: z.string().max(128).optional(),
    call: z.string().min(1).max(64),
    epoch: z.number().int().positive().describe('The claim under which it was started.'),
    proof: z.string().max(128).describe('What the hash in the state record was made of: nobody else knows it.'),
    text: z.string().max(maxSteerChars),
    failed: z.boolean().default(false),
    artifacts: z.array(z.string().max(1024)).max(256).default([]),
  })
  .strict();
export type CallOutcome = z.infer<typeof CallOutcome>;

/** Whatever may stand on `cox.tasks.<id>.steering`. */
export const OnSteering = z.discriminatedUnion('type', [SteeringMessage, CallOutcome]);
export type OnSteering = z.infer<typeof OnSteering>;
export type SteeringInput = z.input<typeof SteeringMessage>;

/** A node of a supervisor's plan as its state record keeps it; `id` is null until it is dispatched. */
export const PlanRow = PlanTask.pick({ key: true, type: true, instruction: true, after: true }).extend({
  id: TaskId.nullable(),
  status: z.enum(['waiting', 'running', 'returned', 'failed', 'dropped']),
});
export type PlanRow = z.infer<typeof PlanRow>;

/** What became of a steer. `applied` and `returned` are final; a steer gets exactly one final receipt. */
export const Receipt = z.object({
  steer: z.string(),
  kind: z.string(),
  fate: z.enum(['accepted', 'queued', 'applied', 'returned']),
  seq: z.number().int().nonnegative().describe('Stream sequence of the steering message.'),
  step: z.number().int().nonnegative().optional().describe('The step whose model call first saw it.'),
  reason: z.string().optional().describe('Why it was returned, or what was done instead of what was asked.'),
  reached: z.array(TaskId).optional().describe('For a correction of a goal: the sub-tasks it was relayed to.'),
});
export type Receipt = z.infer<typeof Receipt>;

export const Question = z.object({
  id: z.string(),
  kind: z.enum(['asked', 'approval', 'in-doubt', 'budget', 'stuck', 'checkpoint']),
  text: z.string(),
  choices: z.array(z.string()).optional(),
});
export type Question = z.infer<typeof Question>;

export const TaskState = z.enum(['idle', 'thinking', 'acting', 'decomposing', 'gathering', 'reducing', 'awaiting-steer', 'done']);
export type TaskState = z.infer<typeof TaskState>;

/** On `cox.tasks.<id>.status`: one per commit. The last one answers `status`. */
export const Status = z.object({
  id: z.string().describe('Of the task; where a steer named none, the tokens it was sent to.'),
  type: TaskType,
  commit: z.number().int().min(1).describe('Counts the commits of this task.'),
  epoch: z.number().int().nonnegative().describe('Counts the claims of this task.'),
  at: z.iso.datetime(),
  node: z.string().describe('Who wrote it.'),
  state: TaskState,
  step: z.number().int().nonnegative(),
  backend: z.string().nullable(),
  doing: z.string().optional().describe('The tool call in flight, in words.'),
  paused: z.boolean().default(false),
  question: Question.nullable().default(null),
  receipts: z.array(Receipt).default([]),
  usage: Usage,
  outcome: z.enum(['completed', 'failed', 'cancelled']).nullable().default(null),
  subTasks: z
    .object({
      waiting: z.number().int(),
      running: z.number().int(),
      returned: z.number().int(),
      failed: z.number().int(),
      dropped: z.number().int(),
    })
    .optional()
    .describe('For a supervisor: how many nodes of its plan are in which state. `tree` names them.'),
  lastTokenAt: z.iso.datetime().optional(),
  lastToolAt: z.iso.datetime().optional(),
  lastTransitionAt: z.iso.datetime().optional().describe('When its machine last changed its state.'),
  note: z.string().optional().describe('Something an operator should know: a backend was swapped, a routing decision.'),
});
export type Status = z.infer<typeof Status>;

/** On `cox.tasks.<id>.result`: the one final output. */
export const Result = z.object({
  id: TaskId,
  type: TaskType,
  outcome: z.enum(['completed', 'failed', 'cancelled']),
  output: z.string().nullable().describe('The answer; null unless completed.'),
  failure: Failure.nullable(),
  salvage: z.object({
    findings: z.array(z.string()).describe('What was found so far, also when the task did not complete.'),
    remaining: z.string().nullable().describe('What was left to do.'),
    artifacts: z.array(z.string()),
    steps: z.number().int().nonnegative(),
  }),
  usage: Usage,
  usageByBackend: z.record(z.string(), Usage),
  toppedUpUsd: z.number().positive().optional().describe('What its operators have added to what it might cost.'),
  at: z.iso.datetime(),
});
export type Result = z.infer<typeof Result>;

/** On `cox.live.<id>`: kept nowhere, for whoever watches. */
export const Live = z.discriminatedUnion('type', [
  z.object({ type: z.literal('token'), step: z.number().int(), text: z.string() }),
  z.object({ type: z.literal('tool'), step: z.number().int(), tool: z.string(), text: z.string() }),
]);
export type Live = z.infer<typeof Live>;

/**
 * On `cox.dead.<id>.letter`: what could not be done and nobody else would tell of. It stays until an operator runs it again or drops it
 * (`cox dead`).
 */
export const DeadLetter = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('task'),
    id: TaskId,
    type: TaskType,
    why: z.string(),
    claims: z.number().int().describe('How many workers were lost over it.'),
    nodes: z.array(z.string()).describe('The last of them, oldest first.'),
    spec: TaskSpec.describe('What it was asked to do, as last redirected.'),
    parent: TaskId.nullable(),
    key: z.string().nullable().describe('Its key in the plan of the parent.'),
    retriedAs: TaskId.nullable().describe('The task that runs in its place; set just before the letter goes.'),
    at: z.iso.datetime(),
  }),
  z.object({
    kind: z.literal('ticket'),
    id: z.string().describe('`ticket-<its sequence in the work queue>`.'),
    type: z.string().describe('Whose queue it was on.'),
    why: z.string(),
    payload: z.string().describe('Its beginning.'),
    bytes: z.number().int().describe('Its whole length.'),
    at: z.iso.datetime(),
  }),
]);
export type DeadLetter = z.infer<typeof DeadLetter>;

/** A task that a node holds. */
export const HeldTask = z.object({
  id: TaskId,
  type: z.string(),
  state: TaskState,
  step: z.number().int().nonnegative(),
  since: z.iso.datetime().describe('When this node took it.'),
});
export type HeldTask = z.infer<typeof HeldTask>;

/** What a node says of itself. */
export const NodeReport = z.object({
  name: z.string(),
  host: z.string(),
  pid: z.number().int(),
  version: z.string().describe('Of Coxswain.'),
  since: z.iso.datetime(),
  types: z.array(z.string()).describe('The kinds of task it works on.'),
  slots: z.number().int().describe('Tasks of one type at once.'),
  draining: z.boolean().describe('It takes nothing new.'),
  held: z.number().int().nonnegative(),
  tasks: z.array(HeldTask).describe('The first 500 of those held, longest held first.'),
});
export type NodeReport = z.infer<typeof NodeReport>;

/** A row of `tree`. */
export const TreeNode = z.object({
  id: TaskId.nullable().describe('Null for a node of a plan that is not dispatched yet.'),
  parent: TaskId.nullable(),
  key: z.string().nullable().describe('Its key in the plan of the parent.'),
  type: z.string(),
  instruction: z.string(),
  backend: z.string().nullable(),
  state: TaskState,
  outcome: z.enum(['completed', 'failed', 'cancelled']).nullable(),
  steps: z.number().int().nonnegative(),
  usage: Usage,
  question: Question.nullable(),
});
export type TreeNode = z.infer<typeof TreeNode>;
