/**
 * The zod schema of every message that crosses the bus. The types are inferred from it, and docs/protocol is generated from it.
 * Keys are camelCase. Times are ISO 8601 in UTC, costs are in US dollars, and tokens are counted by the backend.
 */
import { z } from 'zod';
import { Root, TaskId } from './task-id.ts';

/** The longest text that an operator may send in one message, in characters. */
export const maxSteerChars = 32_768;
/** The longest goal or instruction, in characters. */
export const maxInstructionChars = 65_536;
/** The longest result of an earlier sub-task that a task is given, in characters. */
export const maxGivenChars = 262_144;

const SteerId = z
  .string()
  .min(1)
  .max(128)
  .describe('Unique within the task; does not begin with `seq:`. Default: the Nats-Msg-Id header, else `seq:<stream sequence>`.');
const Text = z.string().min(1).max(maxSteerChars);
const Name = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[a-z][a-z0-9_-]*$/, 'must consist of lower case letters, digits, - and _, and start with a letter');

export const TaskType = Name.describe('The kind of agent that does the task: `supervisor`, or a kind that the roster defines.');
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
    .describe('The part of `costUsd` that is an estimate: the worst case of calls whose bill never arrived.'),
});
export type Usage = z.infer<typeof Usage>;
export const noUsage: Usage = { inputTokens: 0, outputTokens: 0, costUsd: 0 };

export const Failure = z.object({ code: z.string(), message: z.string(), retryable: z.boolean() });
export type Failure = z.infer<typeof Failure>;

/** Something that a task must have made when it ends; else it fails as `not-produced`. */
export const Produced = z.union([
  z
    .object({ file: z.string().min(1).max(1024).describe('Path in the workspace. The task must have written the file.') })
    .strict(),
  z.object({ json: z.record(z.string(), z.unknown()).describe('JSON Schema. The answer must be JSON that fits it.') }).strict(),
]);
export type Produced = z.infer<typeof Produced>;
const Produces = z
  .array(Produced)
  .max(16)
  .optional()
  .describe(
    'What must be there when the task ends. The agent is told once what is missing; then the task fails as `not-produced`. An empty list: it is only to read, and a small embedded model is offered no tools that write.',
  );
export const Expected = z
  .object({
    that: z.string().min(1).max(4_000).describe('What must be true of the answer, in words. A backend is asked whether it is.'),
    backend: z
      .string()
      .min(1)
      .max(64)
      .nullable()
      .default(null)
      .describe('The backend that judges; null: another one than answered.'),
  })
  .strict()
  .optional()
  .describe('A judgement of the answer. The agent is told once what is wrong; then the task fails as `not-as-expected`.');
const ToolName = z.string().min(1).max(64);

/** A node of a plan, as a model, a plan file or an operator writes it. */
export const PlanTask = z.object({
  key: z
    .string()
    .min(1)
    .max(64)
    .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, 'must consist of letters, digits, ., - and _, and start with a letter or digit'),
  type: TaskType,
  instruction: z.string().min(1).max(maxInstructionChars),
  needs: z.array(z.string().min(1).max(64)).max(16).default([]),
  after: z.array(z.string().min(1).max(64)).max(64).default([]),
  backend: z.string().min(1).max(64).nullable().default(null),
  produces: Produces,
  expect: Expected,
});
export type PlanTask = z.infer<typeof PlanTask>;

export const Reduce = z.discriminatedUnion('by', [
  z.object({ by: z.literal('orchestrator'), instruction: z.string().max(maxInstructionChars).default('') }),
  z.object({
    by: z.literal('backend'),
    backend: z.string().min(1).max(64),
    instruction: z.string().max(maxInstructionChars).default(''),
  }),
  z.object({ by: z.enum(['concat', 'effects', 'json', 'vote']) }),
]);
export const PlanSpec = z.object({ tasks: z.array(PlanTask).max(100_000), reduce: Reduce });
export type PlanSpec = z.infer<typeof PlanSpec>;

/** The changes of files that a task is to undo (`cox undo`), by file. */
export const UndoSpec = z.object({
  of: TaskId.describe('The task whose changes are undone, or the goal.'),
  files: z
    .array(
      z.object({
        path: z.string().min(1).max(4096),
        changes: z
          .array(
            z.object({
              task: TaskId,
              step: z.number().int().nonnegative(),
              before: z.string().max(256).nullable().describe('Name of the artifact to restore; null: there was no file.'),
              after: z.string().max(64).nullable().describe('sha256 of the file after the change; null: there was no file.'),
              added: z.number().int().nonnegative().optional(),
              removed: z.number().int().nonnegative().optional(),
            }),
          )
          .min(1)
          .max(1_000)
          .describe('Newest first. A change is undone only if the file is as the change left it.'),
      }),
    )
    .min(1)
    .max(1_000),
});
export type UndoSpec = z.infer<typeof UndoSpec>;

/** Where the whole of a long text is kept (docs/adr/0031). */
export const WholeText = z.object({
  ref: z.string().min(1).max(256).describe('Name of the artifact that keeps the whole as UTF-8.'),
  bytes: z.number().int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
export type WholeText = z.infer<typeof WholeText>;

/** The step of another task from which a task goes on (`cox fork`). */
export const ForkOf = z.object({
  task: TaskId,
  step: z.number().int().positive().describe('The conversation is that of this step, before its reply.'),
  with: Text.optional().describe('A correction that the step is told in addition.'),
});

/** The order for a task. It does not change after dispatch. */
export const TaskSpec = z.object({
  type: TaskType,
  instruction: z.string().min(1).max(maxInstructionChars),
  needs: z.array(z.string().min(1).max(64)).max(16).default([]).describe('Capabilities that its backend must have.'),
  backend: z
    .string()
    .min(1)
    .max(64)
    .nullable()
    .default(null)
    .describe('Name of a backend, or null to let the roster choose one.'),
  workspace: z
    .string()
    .max(4096)
    .nullable()
    .default(null)
    .describe('Absolute path of the folder that its file tools are confined to, or null for the default folder of the node.'),
  deadlineAt: z.iso.datetime().nullable().default(null),
  limits: z
    .object({ steps: z.number().int().min(1).max(10_000), costUsd: z.number().nonnegative().nullable() })
    .partial()
    .default({}),
  plan: PlanSpec.nullable()
    .default(null)
    .describe('For a supervisor: a plan that it runs instead of making one itself, or null.'),
  avoid: z
    .array(z.string().max(64))
    .max(64)
    .default([])
    .describe('Names of backends that must not be used because an earlier attempt failed there.'),
  context: z
    .array(z.object({ title: z.string().max(256), text: z.string().max(maxGivenChars), whole: WholeText.optional() }))
    .max(64)
    .default([])
    .describe('Results of the sub-tasks that this one depends on.'),
  produces: Produces,
  expect: Expected,
  approval: z
    .enum(['roster', 'every-effect'])
    .optional()
    .describe('Which calls the operator must allow: those that the roster names (default), or each that is not only reading.'),
  allowed: z
    .array(ToolName)
    .max(64)
    .optional()
    .describe('Tools whose calls need no approval, because the operator has allowed them.'),
  undo: UndoSpec.optional().describe('The task undoes these changes, in code and without a model. Its type says who may run it.'),
  forkOf: ForkOf.optional().describe('The task begins with the conversation of a step of another task.'),
});
export type TaskSpec = z.infer<typeof TaskSpec>;

/** In a crew with roles: who has ordered a task with this specification (docs/adr/0030). */
export const Seal = z.object({
  key: z.string().max(64).describe('Public nkey of the operator, or of the node that holds the parent of a sub-task.'),
  at: z.iso.datetime(),
  signature: z
    .string()
    .max(128)
    .describe(
      'Ed25519 in base64url over five lines: `cox-seal-1`, the namespace, the task id, `at`, and the sha256 in hex of `spec` as JSON with sorted keys.',
    ),
});
export type Seal = z.infer<typeof Seal>;

/** On `cox.tasks.<type>.pending` and `.wake`. A ticket stands for one run of a task. */
export const TicketMessage = z.object({
  id: TaskId,
  t: z.number().int().min(1).describe('Number of the run, from 1: one more than the run that the state record names.'),
  spec: TaskSpec.optional().describe('Only on the first ticket of a sub-task, whose state record is created when it is claimed.'),
  seal: Seal.optional().describe('With `spec`, in a crew with roles.'),
});
export type TicketMessage = z.infer<typeof TicketMessage>;

const common = { id: SteerId.optional(), from: z.string().max(128).optional() };
const Expect = z.object({ step: z.number().int().nonnegative() }).strict();
/**
 * On `cox.tasks.<id>.steering`, as JSON. A payload that is not a JSON object is a correction in plain text and means
 * `{ type: 'steer', text }`.
 */
export const SteeringMessage = z.discriminatedUnion('type', [
  z
    .object({ ...common, type: z.literal('steer'), text: Text, urgency: Urgency.default('now'), expect: Expect.optional() })
    .strict(),
  z.object({ ...common, type: z.literal('redirect'), text: Text, expect: Expect.optional() }).strict(),
  z
    .object({
      ...common,
      type: z.literal('answer'),
      question: z.string().min(1).max(64),
      text: Text,
      args: z
        .record(z.string(), z.unknown())
        .optional()
        .describe('With an approval that allows a call: arguments with which it runs instead of those of the model.'),
    })
    .strict(),
  z.object({ ...common, type: z.literal('allow'), tool: ToolName }).strict(),
  z
    .object({
      ...common,
      type: z.literal('swap'),
      backend: z.string().min(1).max(64),
      urgency: z.enum(['now', 'next-step']).optional().describe('`now` breaks off the model call in flight. Default: next-step.'),
    })
    .strict(),
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

/** What a call of a tool changed, as its tool reported it. Made from commits, never from words. */
export const Change = z.object({
  target: z.string().describe('What was changed: for a file its path in the workspace.'),
  kind: z
    .enum(['created', 'changed', 'deleted', 'submitted', 'uploaded', 'filled', 'clicked', 'pressed'])
    .describe('The first three are of files; the others are acts on the page of a browser, whose address is in `target`.'),
  added: z.number().int().nonnegative().optional().describe('Lines added.'),
  removed: z.number().int().nonnegative().optional().describe('Lines removed.'),
  before: z
    .string()
    .nullable()
    .optional()
    .describe('Name of the artifact that keeps what was replaced; null: nothing was there.'),
  after: z.string().nullable().optional().describe('sha256 of the new content in hex; null: it was deleted.'),
});
export type Change = z.infer<typeof Change>;

/** One thing that a task did or tried to do to the world. */
export const Effect = Change.omit({ kind: true }).extend({
  task: z.string().optional().describe('In the result of a goal: the task that made the call.'),
  call: z.string().describe('Id of the call in its task.'),
  tool: z.string(),
  step: z.number().int().nonnegative(),
  outcome: z
    .enum(['done', 'failed', 'denied', 'in-doubt'])
    .describe('`in-doubt`: the call began, and nobody knows whether it ran to its end.'),
  kind: Change.shape.kind.optional(),
});
export type Effect = z.infer<typeof Effect>;
/** Most effects that a result lists. */
export const maxEffects = 1_000;

/**
 * Also on `cox.tasks.<id>.steering`, sent only by workers: the outcome of a call that was in flight when its worker lost the
 * task. A task accepts it only while it does not know the outcome of that same call (docs/adr/0016).
 */
export const CallOutcome = z
  .object({
    type: z.literal('outcome'),
    id: SteerId,
    from: z.string().max(128).optional(),
    call: z.string().min(1).max(64),
    epoch: z.number().int().positive().describe('Epoch of the claim under which the call was started.'),
    proof: z
      .string()
      .max(128)
      .describe('The secret whose hash is in the state record. Only the worker that started the call knows it.'),
    text: z.string().max(maxSteerChars),
    failed: z.boolean().default(false),
    artifacts: z.array(z.string().max(1024)).max(256).default([]),
    changes: z.array(Change).max(256).optional(),
  })
  .strict();
export type CallOutcome = z.infer<typeof CallOutcome>;

/** Every message that is valid on `cox.tasks.<id>.steering`. */
export const OnSteering = z.discriminatedUnion('type', [SteeringMessage, CallOutcome]);
export type OnSteering = z.infer<typeof OnSteering>;
export type SteeringInput = z.input<typeof SteeringMessage>;

/** A node of a supervisor's plan, as the supervisor's state record keeps it. `id` is null until the node is dispatched. */
export const PlanRow = PlanTask.pick({ key: true, type: true, instruction: true, after: true }).extend({
  id: TaskId.nullable(),
  status: z.enum(['waiting', 'running', 'returned', 'failed', 'dropped']),
});
export type PlanRow = z.infer<typeof PlanRow>;

/** Tells what a task did with a steer. `applied` and `returned` are final; a steer gets exactly one final receipt. */
export const Receipt = z.object({
  steer: z.string(),
  kind: z.string(),
  fate: z.enum(['accepted', 'queued', 'applied', 'returned']),
  seq: z.number().int().nonnegative().describe('Stream sequence of the steering message.'),
  step: z.number().int().nonnegative().optional().describe('The step whose model call first saw the steer.'),
  reason: z.string().optional().describe('Why the steer was returned, how the task deviated from it, or what it has changed.'),
  reached: z.array(TaskId).optional().describe('For a correction of a goal: the sub-tasks that it was relayed to.'),
  by: z.string().optional().describe('In a crew with roles: the member who has signed the message.'),
});
export type Receipt = z.infer<typeof Receipt>;

export const Question = z.object({
  id: z.string(),
  kind: z.enum(['asked', 'approval', 'in-doubt', 'budget', 'stuck', 'checkpoint']),
  text: z.string(),
  choices: z.array(z.string()).optional(),
  call: z
    .object({ tool: z.string(), args: z.unknown().optional().describe('Left out where they are long.') })
    .optional()
    .describe('The call that an approval is about.'),
});
export type Question = z.infer<typeof Question>;

export const TaskState = z.enum(['idle', 'thinking', 'acting', 'decomposing', 'gathering', 'reducing', 'awaiting-steer', 'done']);
export type TaskState = z.infer<typeof TaskState>;

/** On `cox.tasks.<id>.status`: one for each commit. The request `status` returns the last one. */
export const Status = z.object({
  id: z.string().describe('Id of the task. For a steer to an invalid id: the two subject tokens it was sent to.'),
  type: TaskType,
  commit: z.number().int().min(1).describe('Number of this commit of the task.'),
  epoch: z.number().int().nonnegative().describe('Number of claims of this task so far.'),
  at: z.iso.datetime(),
  node: z.string().describe('Name of the node that wrote it.'),
  state: TaskState,
  step: z.number().int().nonnegative(),
  backend: z.string().nullable(),
  doing: z.string().optional().describe('The tool call in flight, described in words.'),
  paused: z.boolean().default(false),
  question: Question.nullable().default(null),
  askedAt: z.iso.datetime().optional().describe('When the open question was asked.'),
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
    .describe('For a supervisor: the number of nodes of its plan in each state. The request `tree` lists the nodes.'),
  lastTokenAt: z.iso.datetime().optional(),
  lastToolAt: z.iso.datetime().optional(),
  lastTransitionAt: z.iso.datetime().optional().describe('When the machine last changed its state or step.'),
  effects: z.array(Effect).optional().describe('The latest effects of the task, at most 16, oldest first.'),
  note: z.string().optional().describe('Something that an operator should know, for example that a backend was swapped.'),
  prompt: z
    .object({
      messages: z
        .number()
        .int()
        .nonnegative()
        .optional()
        .describe('While a model thinks: number of messages of the conversation.'),
      digest: z
        .string()
        .max(64)
        .optional()
        .describe('Digests of the parts of the request that was sent: prompt, notes, tools, conversation.'),
    })
    .optional()
    .describe('Of the model call of the step. The verb `journal` tells by it what was sent.'),
});
export type Status = z.infer<typeof Status>;

const amounts = {
  inputTokens: z.number().nonnegative(),
  outputTokens: z.number().nonnegative(),
  costUsd: z.number().nonnegative(),
  estimatedUsd: z.number().positive().optional().describe('The part of `costUsd` that is an estimate.'),
};
const Day = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}$/, 'a day looks like 2026-11-27')
  .describe('UTC.');
export const CostLine = z.object({
  day: Day,
  backend: z.string().max(256),
  kind: z.string().max(256).describe('Type of the tasks.'),
  ...amounts,
});
export type CostLine = z.infer<typeof CostLine>;

/** On `cox.costs.<root>`: what a tree has used that was purged. */
export const TreeCosts = z.object({
  root: Root,
  goal: z.string().max(256).describe('The beginning of the instruction of its goal.'),
  lines: z.array(CostLine).max(10_000),
});
export type TreeCosts = z.infer<typeof TreeCosts>;

/** US dollars per million tokens. */
export const Price = z.object({ input: z.number().nonnegative(), output: z.number().nonnegative() });
export type Price = z.infer<typeof Price>;

/** A row of the reply to `costs`. */
export const CostRow = z.object({
  day: Day.optional(),
  root: Root.optional(),
  goal: z.string().optional(),
  backend: z.string().optional(),
  kind: z.string().optional(),
  ...amounts,
  referenceUsd: z
    .number()
    .optional()
    .describe('An estimate: what the same tokens would have cost at the price of the reference.'),
  savedUsd: z.number().optional().describe('An estimate: `referenceUsd` less `costUsd`.'),
});
export type CostRow = z.infer<typeof CostRow>;

/** On `cox.tasks.<id>.result`: the one final output. */
export const Result = z.object({
  id: TaskId,
  type: TaskType,
  outcome: z.enum(['completed', 'failed', 'cancelled']),
  output: z
    .string()
    .nullable()
    .describe(
      'The answer; null unless the outcome is `completed`. Of an answer above 64 KiB it is the beginning, and its end says how much is missing.',
    ),
  whole: WholeText.optional().describe('For an answer above 16 KiB: the artifact that keeps all of it.'),
  failure: Failure.nullable(),
  salvage: z.object({
    findings: z.array(z.string()).describe('Findings up to the end of the task, kept whatever the outcome.'),
    remaining: z.string().nullable().describe('The work that was left to do.'),
    artifacts: z.array(z.string()),
    steps: z.number().int().nonnegative(),
  }),
  effects: z
    .array(Effect)
    .optional()
    .describe('What the task did to the world, from its commits; for a goal, all tasks below it. Empty: it changed nothing.'),
  effectsLeftOut: z.number().int().positive().optional().describe('Number of further effects that are not listed.'),
  sources: z.array(z.string()).optional().describe('What the tools really read: paths and addresses, at most 256.'),
  usage: Usage,
  usageByBackend: z.record(z.string(), Usage),
  toppedUpUsd: z.number().positive().optional().describe('US dollars that operators have added to the cost limit.'),
  at: z.iso.datetime(),
});
export type Result = z.infer<typeof Result>;

/** On `cox.live.<id>`: output of a model or a tool as it comes. No stream stores it. */
export const Live = z.discriminatedUnion('type', [
  z.object({ type: z.literal('token'), step: z.number().int(), text: z.string() }),
  z.object({ type: z.literal('tool'), step: z.number().int(), tool: z.string(), text: z.string() }),
]);
export type Live = z.infer<typeof Live>;

export const TicketLetterId = z.string().regex(/^ticket-[0-9]{1,16}$/, 'the id of such a letter looks like ticket-417');

/**
 * On `cox.dead.<id>.letter`: a task that was given up after it lost too many workers, or a message on a work queue that is not a
 * ticket. It is kept until an operator retries or drops it (`cox dead`).
 */
export const DeadLetter = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('task'),
    id: TaskId,
    type: TaskType,
    why: z.string(),
    claims: z.number().int().describe('Number of workers that were lost while they held the task and made no progress.'),
    nodes: z.array(z.string()).describe('Names of the nodes of the last lost workers, oldest first.'),
    spec: TaskSpec.describe('The spec of the task, with the instruction of the last redirect.'),
    parent: TaskId.nullable(),
    key: z.string().nullable().describe('Its key in the plan of the parent.'),
    retriedAs: TaskId.nullable().describe('The task that replaces it; set during a retry, just before the letter is removed.'),
    at: z.iso.datetime(),
  }),
  z.object({
    kind: z.literal('ticket'),
    id: TicketLetterId.describe('`ticket-<sequence in the work stream>`.'),
    type: z.string().describe('The task type whose queue the message was on.'),
    why: z.string(),
    payload: z.string().describe('The beginning of the message, at most 4096 characters.'),
    bytes: z.number().int().describe('Length of the whole message in bytes.'),
    at: z.iso.datetime(),
  }),
]);
export type DeadLetter = z.infer<typeof DeadLetter>;

/**
 * On `cox.artifacts.<id>.<call>.<n>.head`: what the `n`th change of a call replaced, or, with a name and a type, what the call
 * made (`made-<n>`), showed before it ran (`preview-<digest>`) or the task answered (`output-<digest>`, with `result` for the
 * call). Its content is on `cox.artifacts.<id>.<call>.<n>.<sha256>.<i>`, as bytes, for `i` from 0 to `parts` − 1.
 */
export const ArtifactHead = z.object({
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .nullable()
    .describe('Of the whole content, in hex; null if there was nothing to replace.'),
  bytes: z.number().int().nonnegative(),
  parts: z.number().int().min(0).max(4_096),
  mode: z.number().int().min(0).max(0o7777).optional().describe('Permission bits of the file.'),
  name: z.string().min(1).max(255).optional().describe('Name of a file for it, without a folder.'),
  type: z.string().min(1).max(255).optional().describe('Its MIME type.'),
  step: z.number().int().nonnegative().optional().describe('Step of the task that made it.'),
});
export type ArtifactHead = z.infer<typeof ArtifactHead>;
/** A row of the reply to `artifacts`. */
export const ArtifactRow = z.object({
  ref: z.string().describe('Its name: `<task>/<call>/<n>`.'),
  task: TaskId,
  call: z.string().describe('The call of the task; `result` for a long result.'),
  kind: z
    .enum(['made', 'result', 'preview', 'replaced'])
    .describe(
      '`made`: a call has stored it. `result`: the whole of a long result. `preview`: what an approval has shown. `replaced`: a file as it was before a call changed it.',
    ),
  name: z.string().nullable().describe('Name of a file for it.'),
  type: z.string().nullable().describe('Its MIME type.'),
  bytes: z.number().int().nonnegative(),
  sha256: z.string().nullable().describe('Of the content, in hex; null if there was nothing to replace.'),
  step: z.number().int().nonnegative().nullable().describe('Step of the task, where it is known.'),
  at: z.iso.datetime().describe('When it was stored, by the clock of the server.'),
  damaged: z.literal(true).optional().describe('Its head is no head; somebody else has written it.'),
});
export type ArtifactRow = z.infer<typeof ArtifactRow>;
/** The longest reply that a line of the talk keeps, in characters. */
export const maxTalkReplyChars = 16_384;
/**
 * On `cox.talk.<id>.line`: a line that an operator said to the primary agent, with its answer. Each message replaces the one
 * before it. It says nothing about tasks: their state is in their records.
 */
export const TalkLine = z.object({
  id: z
    .string()
    .regex(/^[A-Za-z0-9-]{1,64}$/)
    .describe('Unique in the namespace.'),
  text: z.string().min(1).max(maxInstructionChars),
  first: z.boolean().default(false).describe('The line was to pass the waiting ones.'),
  by: z.string().max(128).describe('Name of the client whose primary agent answers the line.'),
  at: z.iso.datetime().describe('When it was said.'),
  state: z
    .enum(['waiting', 'held', 'acting', 'answered', 'interrupted', 'failed'])
    .describe(
      '`waiting` and `held` (an answer is being made) may be taken over from a client that has left. From `acting` on, tools may have changed something, so the line is not answered again.',
    ),
  replies: z
    .array(
      z.object({
        by: z.enum(['model', 'code', 'done']).describe('Whose words they are. `done`: code says what was really done.'),
        text: z.string().max(maxTalkReplyChars),
      }),
    )
    .max(16)
    .default([]),
  write: z.string().max(64).optional().describe('A random word of each write, by which a writer recognizes its own.'),
});
export type TalkLine = z.infer<typeof TalkLine>;

/** A task that a worker of a node holds. */
export const HeldTask = z.object({
  id: TaskId,
  type: z.string(),
  state: TaskState,
  step: z.number().int().nonnegative(),
  since: z.iso.datetime().describe('When this node claimed it.'),
});
export type HeldTask = z.infer<typeof HeldTask>;

/** The report that a node gives of itself. */
export const NodeReport = z.object({
  name: z.string(),
  host: z.string(),
  pid: z.number().int(),
  version: z.string().describe('Version of Coxswain.'),
  roster: z.string().nullable().optional().describe('Path of its roster file on its host. Null: the shipped roster, or none.'),
  since: z.iso.datetime().describe('When the node started.'),
  types: z.array(z.string()).describe('The task types that it works on.'),
  slots: z.number().int().describe('New tasks of one type that it works on at once. Woken tasks have as many slots in addition.'),
  draining: z.boolean().describe('True if it claims no further tasks.'),
  hearsTalk: z
    .literal(true)
    .optional()
    .describe('A primary agent runs there that answers lines of the talk which name this node.'),
  held: z.number().int().nonnegative(),
  tasks: z.array(HeldTask).describe('The tasks that it holds, longest held first, at most 500.'),
});
export type NodeReport = z.infer<typeof NodeReport>;

/** A row of the reply to `tree`. */
export const TreeNode = z.object({
  id: TaskId.nullable().describe('Null for a node of a plan that has not been dispatched yet.'),
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
  effects: z.array(Effect).optional().describe('The latest effects of the task, at most 16, oldest first.'),
  made: z.array(z.string()).optional().describe('Refs of what its calls have stored, at most 16, the latest last.'),
  incomplete: z.string().optional().describe('Why its answer is incomplete, in a word of its backend, such as `length`.'),
  createdAt: z.iso.datetime().optional(),
  updatedAt: z.iso.datetime().optional().describe('When it last committed: for a task that has ended, its end.'),
  paused: z.literal(true).optional(),
  doing: z.string().optional().describe('The tool call in flight, described in words.'),
  lastTokenAt: z.iso.datetime().optional(),
  lastToolAt: z.iso.datetime().optional(),
  after: z.array(z.string()).optional().describe('Keys of the nodes of the plan that it waits for.'),
});
export type TreeNode = z.infer<typeof TreeNode>;
