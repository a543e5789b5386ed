/** Converts the zod schemas of messages.ts and service.ts to JSON Schema. docs/protocol is generated from the result. */
import { z } from 'zod';
import { forEachSteering, requests, type Verb } from '../api-service.ts';
import { Room } from '../capacity/room.ts';
import { Inspected, InspectionWanted } from '../inspect/inspection-messages.ts';
import { MachineReport } from '../inspect/machine-report.ts';
import { ForkRow, JournalPrompt, JournalReply, JournalStep, PromptMessage, Why } from '../journal/journal-messages.ts';
import {
  ArtifactHead,
  ArtifactRow,
  CallOutcome,
  CostRow,
  DeadLetter,
  Failure,
  HeldTask,
  Live,
  NodeReport,
  PlanRow,
  PlanSpec,
  PlanTask,
  Price,
  Question,
  Receipt,
  Result,
  Status,
  SteeringMessage,
  TalkLine,
  TaskSpec,
  TaskState,
  TicketMessage,
  TreeCosts,
  TreeNode,
  Usage,
  WholeText,
} from '../messages.ts';
import { RosterReport } from '../roster-report.ts';
import { Phase } from '../state/state-record.ts';
import { TaskId } from '../task-id.ts';

export type JsonSchema = { [key: string]: unknown };

const Steered = z.object({
  steer: z.string().describe('Id of the steer. Its receipts on the status subject carry this id.'),
  seq: z.number().int().describe('Sequence of the steer in the log stream. A task takes its steers in this order.'),
  receipts: z.array(Receipt).describe('The receipts that came within `waitMs`.'),
  waitError: z
    .object({ code: z.string(), message: z.string() })
    .optional()
    .describe('Why the wait for receipts ended early. The steer is stored all the same: do not send it again.'),
});

const paged = {
  next: z.string().nullable().describe('`after` of the request for the next page; null: there are no more rows.'),
  more: z.number().int().nonnegative().describe('Number of rows behind this page.'),
};

/** The schema of the reply to each verb of the service. */
export const replies = {
  dispatch: z.object({ id: TaskId }),
  order: z.object({ id: TaskId }),
  outcome: z.object({ id: z.string() }),
  status: Status,
  ...forEachSteering(() => Steered),
  result: z.object({ result: Result.nullable().describe('Null if the task has no result yet.') }),
  tree: z.object({
    nodes: z.array(TreeNode).describe('The tasks and plan nodes of the tree, parents before children.'),
    ...paged,
  }),
  tasks: z.object({
    ...paged,
    tasks: z.array(
      z.object({
        id: TaskId,
        parent: TaskId.nullable(),
        key: z.string().nullable().describe('Its key in the plan of the parent.'),
        type: z.string(),
        instruction: z.string(),
        phase: Phase,
        state: TaskState,
        outcome: Status.shape.outcome,
        question: Question.nullable(),
        step: z.number().int(),
        createdAt: z.iso.datetime(),
        updatedAt: z.iso.datetime(),
      }),
    ),
  }),
  questions: z.object({
    ...paged,
    questions: z
      .array(
        z.object({
          id: TaskId.describe('The task that asks.'),
          goal: TaskId,
          goalInstruction: z.string().nullable(),
          key: z.string().nullable(),
          type: z.string(),
          instruction: z.string(),
          question: Question,
          askedAt: z.iso.datetime(),
          blocked: z.number().int().describe('Number of planned sub-tasks that cannot start before it is answered.'),
        }),
      )
      .describe('Oldest first.'),
  }),
  talk: z.object({
    lines: z.array(TalkLine).describe('Oldest first.'),
    more: z.number().int().nonnegative().describe('Number of earlier lines, which are left out.'),
  }),
  room: Room,
  menu: z.object({
    backends: z.array(
      z.looseObject({
        name: z.string(),
        kind: z.string(),
        model: z.string().nullable(),
        tier: z.enum(['local', 'subscription', 'api']),
        goodAt: z.array(z.string()),
        available: z.boolean(),
        why: z.string().nullable().describe('Why the backend is not available; null if it is.'),
        learnt: z
          .array(z.object({ what: z.string(), why: z.string().describe('The words of the refusal.'), since: z.iso.datetime() }))
          .optional()
          .describe('What differs from the full protocol, learnt from refusals of the backend. Left out where nothing does.'),
      }),
    ),
  }),
  roster: RosterReport,
  machine: MachineReport,
  artifacts: z.object({ artifacts: z.array(ArtifactRow).describe('In the order of their names.'), ...paged }),
  artifact: z.object({
    artifact: ArtifactRow,
    parts: z.number().int().nonnegative().describe('Number of parts; the content is all of them, one after the other.'),
    base64: z.string().describe('The part. Compare the sha256 of the whole with that of the artifact.'),
  }),
  journal: JournalReply,
  nodes: NodeReport,
  costs: z.object({
    rows: z.array(CostRow).describe('In the order of days if `by` begins with `day`; else by cost, highest first.'),
    total: CostRow.describe('The sum of all rows, also of those beyond `limit`.'),
    more: z.number().int().nonnegative().describe('Number of rows beyond `limit`.'),
    reference: Price.nullable().describe('The price that is compared with.'),
  }),
  dead: z.object({ letters: z.array(DeadLetter).describe('The dead letters, oldest first.'), ...paged }),
  deadRetry: z.discriminatedUnion('how', [
    z.object({ how: z.literal('dispatched'), id: z.string(), as: TaskId.describe('The task that replaces it.') }),
    z.object({
      how: z.literal('rerun'),
      id: z.string(),
      as: TaskId.nullable().describe('The task that replaces it; null until the parent has named it.'),
      parent: TaskId,
      key: z.string(),
      receipt: Receipt.nullable().describe(
        'Final receipt of the parent. Null if none came within `waitMs`; the letter is then kept.',
      ),
    }),
  ]),
  deadDrop: z.object({ id: z.string() }),
} as const satisfies Record<Verb, z.ZodType>;

/** The payload of an error reply. `Nats-Service-Error-Code` is 400 for a request that cannot be fulfilled, 500 for a defect. */
export const Refusal = z.object({ code: z.string(), message: z.string(), hint: z.string() });

const shared = {
  ArtifactRow,
  CostRow,
  Failure,
  ForkRow,
  HeldTask,
  JournalPrompt,
  JournalStep,
  PlanRow,
  PlanSpec,
  PlanTask,
  PromptMessage,
  Price,
  Question,
  Receipt,
  TaskId,
  TaskState,
  TreeNode,
  Usage,
  WholeText,
  Why,
};
/** The schemas of the messages on the bus, by their name in docs/protocol. */
export const messages = {
  ArtifactHead,
  CallOutcome,
  DeadLetter,
  Inspected,
  InspectionWanted,
  Live,
  NodeReport,
  Result,
  Status,
  SteeringMessage,
  TalkLine,
  TaskSpec,
  Ticket: TicketMessage,
  TreeCosts,
} as const;

export const verbs = Object.keys(requests) as Verb[];
export const requestName = (verb: Verb): string => (verb === 'dispatch' ? 'TaskSpec' : `${capital(verb)}Request`);
export const replyName = (verb: Verb): string =>
  replies[verb] === Status
    ? 'Status'
    : replies[verb] === NodeReport
      ? 'NodeReport'
      : replies[verb] === Steered
        ? 'SteerReply'
        : `${capital(verb)}Reply`;
const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

/**
 * @param refTo makes the reference to the schema of this name.
 * @returns all schemas by name, in alphabetical order. They describe the input form of a message, in which fields with a default
 * are optional. Coxswain itself writes these fields.
 */
export function protocolSchemas(refTo: (name: string) => string): Record<string, JsonSchema> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries({ ...shared, ...messages, Refusal })) registry.add(schema, { id });
  for (const verb of verbs) if (!registry.get(replies[verb])) registry.add(replies[verb], { id: replyName(verb) });
  for (const verb of verbs) if (!registry.get(requests[verb])) registry.add(requests[verb], { id: requestName(verb) });
  const generated = z.toJSONSchema(registry, { io: 'input', uri: refTo, override: ({ jsonSchema }) => plain(jsonSchema) });
  const schemas: Record<string, JsonSchema> = generated.schemas;
  const steering = new Map(SteeringMessage.options.map((option) => [option.shape.type.value as string, option]));
  for (const verb of verbs) {
    const option = steering.get(verb);
    if (option) schemas[requestName(verb)] = steeringRequest(schemas[requestName(verb)]!, option, refTo);
  }
  const named = Object.entries(schemas).map(([name, { $id: _, ...schema }]) => [name, schema] as const);
  return Object.fromEntries(named.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The request of a steering verb has the fields of its message, with `task` instead of `type`. */
function steeringRequest(request: JsonSchema, option: z.ZodType, refTo: (name: string) => string): JsonSchema {
  const message = z.toJSONSchema(option, { io: 'input', override: ({ jsonSchema }) => plain(jsonSchema) });
  const { type: _, task: subTask, ...fields } = message.properties ?? {};
  const required = (message.required ?? []).flatMap((name) => (name === 'type' ? [] : name === 'task' ? ['subTask'] : [name]));
  const { waitMs } = request.properties as JsonSchema;
  return {
    $schema: message.$schema,
    type: 'object',
    properties: {
      task: { $ref: refTo('TaskId') },
      // The new sub-task of `add`. The message calls it `task`, but in a request that is the goal.
      ...(subTask && { subTask: { $ref: refTo('PlanTask') } }),
      ...fields,
      waitMs,
    },
    required: ['task', ...required],
    additionalProperties: false,
  };
}

/** Removes the limits of JavaScript integers, and the pattern that zod adds to the format `date-time`. */
function plain(schema: JsonSchema): void {
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
  if (schema.format === 'date-time') delete schema.pattern;
}
