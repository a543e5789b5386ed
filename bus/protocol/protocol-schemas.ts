/** The zod schemas of messages.ts and service.ts as JSON Schema, one for each message: what docs/protocol is generated from. */
import { z } from 'zod';
import {
  CallOutcome,
  DeadLetter,
  Failure,
  HeldTask,
  Live,
  NodeReport,
  PlanRow,
  PlanSpec,
  PlanTask,
  Question,
  Receipt,
  Result,
  Status,
  SteeringMessage,
  TaskSpec,
  TaskState,
  TicketMessage,
  TreeNode,
  Usage,
} from '../messages.ts';
import { forEachSteering, requests, type Verb } from '../service.ts';
import { Phase } from '../state/state-record.ts';
import { TaskId } from '../task-id.ts';

export type JsonSchema = { [key: string]: unknown };

const Steered = z.object({
  steer: z.string().describe('The id of the steer: its receipts on `status` carry it.'),
  seq: z.number().int().describe('Its place on the log: the order in which steers are taken.'),
  receipts: z.array(Receipt).describe('Those that came within `waitMs`.'),
});

/** What each verb of the service answers. */
export const replies = {
  dispatch: z.object({ id: TaskId }),
  status: Status,
  ...forEachSteering(() => Steered),
  result: z.object({ result: Result.nullable().describe('Null: none yet.') }),
  tree: z.object({ nodes: z.array(TreeNode).describe('Parents before children.') }),
  tasks: z.object({
    tasks: z.array(
      z.object({
        id: TaskId,
        parent: TaskId.nullable(),
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
  menu: z.object({
    backends: z.array(
      z.looseObject({
        name: z.string(),
        kind: z.string(),
        model: z.string().nullable(),
        tier: z.enum(['local', 'subscription', 'api']),
        goodAt: z.array(z.string()),
        available: z.boolean(),
        why: z.string().nullable().describe('Why it is not available.'),
      }),
    ),
  }),
  nodes: NodeReport,
  dead: z.object({ letters: z.array(DeadLetter).describe('Oldest first.') }),
  deadRetry: z.discriminatedUnion('how', [
    z.object({ how: z.literal('dispatched'), id: z.string(), as: TaskId.describe('The task that runs in its place.') }),
    z.object({
      how: z.literal('rerun'),
      id: z.string(),
      as: TaskId.nullable().describe('Null: the parent has not said it yet.'),
      parent: TaskId,
      key: z.string(),
      receipt: Receipt.nullable().describe('Of the parent; null: none came within `waitMs`, and the letter stays until then.'),
    }),
  ]),
  deadDrop: z.object({ id: z.string() }),
} as const satisfies Record<Verb, z.ZodType>;

/** The body of an error reply; `Nats-Service-Error-Code` is 400 for a request that can't be done, 500 for a defect. */
export const Refusal = z.object({ code: z.string(), message: z.string(), hint: z.string() });

const shared = { Failure, HeldTask, PlanRow, PlanSpec, PlanTask, Question, Receipt, TaskId, TaskState, TreeNode, Usage };
/** The messages themselves. */
export const messages = {
  CallOutcome,
  DeadLetter,
  Live,
  NodeReport,
  Result,
  Status,
  SteeringMessage,
  TaskSpec,
  Ticket: TicketMessage,
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
 * All schemas by name, in alphabetical order; they refer to each other as `refTo` says. Fields with a default are not required: this is
 * how messages may be written. Written by Coxswain they are complete.
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

/** A steering verb takes what its message takes, with the task in place of the type. */
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
      // The new sub-task of `add`, whose name in the message is taken by the goal here.
      ...(subTask && { subTask: { $ref: refTo('PlanTask') } }),
      ...fields,
      waitMs,
    },
    required: ['task', ...required],
    additionalProperties: false,
  };
}

/** Without what zod adds for its own use: the limits of JavaScript's integers, a pattern that says `date-time` once more. */
function plain(schema: JsonSchema): void {
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
  if (schema.format === 'date-time') delete schema.pattern;
}
