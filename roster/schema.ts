/**
 * The roster file: who can think, which kinds of agent there are, and the rules. Strict: an unknown key is an error. YAML keys are
 * snake_case, the types camelCase. Every key is described in docs/roster.md, which a test compares with this schema.
 */
import { z } from 'zod';
import { BackendEntry } from './backend-schema.ts';
import { Duration, Size } from './quantity.ts';
import { section } from './section.ts';

export const BackendName = z
  .string()
  .max(64)
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, 'letters, digits, ., - and _, at most 64');
// As on the bus, where it is the type of a task.
export const AgentKindName = z
  .string()
  .max(64)
  .regex(/^[a-z][a-z0-9_-]*$/, 'lower case letters, digits, - and _, starting with a letter, at most 64')
  .refine((name) => name !== 'supervisor', '`supervisor` is built in: choose another name');
const ToolName = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'letters, digits, - and _, at most 64');
const usd = z.number().nonnegative().nullable().default(null);

const AgentLimits = section({
  steps: z.int().min(1).max(10_000).default(24).describe('Model calls before it asks the operator for more.'),
  failures: z.int().min(1).max(100).default(3).describe('Failures in a row before it asks for help.'),
  repeats: z.int().min(1).max(100).default(3).describe('Times the same tool calls may be repeated before it asks for help.'),
  cost_usd: usd.describe('US dollars one task may cost before it asks; null: no limit.'),
}).transform(({ cost_usd: costUsd, ...limits }) => ({ ...limits, costUsd }));

const AgentKind = section({
  prompt: z.string().min(1).max(65_536).describe('The system prompt.'),
  tools: z.array(ToolName).max(64).default([]).describe('Tools it may call, by name.'),
  needs: z
    .array(z.string().min(1).max(64))
    .max(16)
    .default([])
    .describe('What its backend must be good at, if the task does not say.'),
  limits: AgentLimits.prefault({}).describe('When it stops and asks.'),
});
export type AgentKind = z.infer<typeof AgentKind>;

const Supervision = section({
  on_failure: z
    .enum(['retry', 'failover', 'ask', 'skip', 'escalate'])
    .default('failover')
    .describe('What becomes of a sub-task that failed.'),
  max_attempts: z.int().min(1).max(100).default(3).describe('Tries of one sub-task before its failure is asked about.'),
  concurrency: z.int().min(1).max(10_000).default(16).describe('Sub-tasks of one goal that run at once.'),
  max_tasks: z.int().min(1).max(10_000).default(64).describe('Sub-tasks a plan may have.'),
  max_depth: z.int().min(1).max(8).default(2).describe('Levels of supervisors under each other.'),
}).transform((it) => ({
  onFailure: it.on_failure,
  maxAttempts: it.max_attempts,
  concurrency: it.concurrency,
  maxTasks: it.max_tasks,
  maxDepth: it.max_depth,
}));

const Routing = section({
  tiers: z
    .array(z.enum(['local', 'subscription', 'api']))
    .min(1)
    .default(['local', 'subscription', 'api'])
    .describe('Tiers that may be chosen from.'),
  rotate: z.boolean().default(true).describe('Take turns among backends that are equally cheap.'),
});

const Budgets = section({
  goal_usd: usd.describe('US dollars one goal with all its sub-tasks may cost, shared out as they start; null: no limit.'),
  task_usd: usd.describe('US dollars one sub-task may cost where its kind sets no limit; null: no limit.'),
}).transform((it) => ({ goalUsd: it.goal_usd, taskUsd: it.task_usd }));

const ToolPolicy = section({
  gated: z.array(ToolName).max(256).default(['write_file']).describe('Tools that the operator must allow, call by call.'),
});

const Limits = section({
  retries: z.int().min(0).max(10).default(2).describe('Further tries of a call that failed for a passing reason.'),
  retry_first_ms: z
    .number()
    .min(0)
    .max(60_000)
    .default(500)
    .describe('Longest wait before the second try, in ms; doubles from there.'),
  retry_most_ms: z
    .number()
    .min(0)
    .max(3_600_000)
    .default(30_000)
    .describe('Longest wait at all, in ms, also when the backend asks for more.'),
  breaker_failures: z.int().min(1).max(1000).default(3).describe('Calls that fail in a row before the backend is left alone.'),
  breaker_seconds: z.number().min(0).max(86_400).default(30).describe('How long it is left alone.'),
  silence_seconds: z.number().min(0.05).max(300).default(300).describe('A call that says nothing for that long is given up.'),
}).transform((it) => ({
  retries: it.retries,
  retryFirstMs: it.retry_first_ms,
  retryMostMs: it.retry_most_ms,
  breakerFailures: it.breaker_failures,
  breakerMs: it.breaker_seconds * 1000,
  silenceMs: it.silence_seconds * 1000,
}));
export type CallLimits = z.infer<typeof Limits>;

const BusRules = section({
  replicas: z
    .union([z.literal(1), z.literal(3), z.literal(5)], 'expected 1, 3 or 5')
    .default(1)
    .describe('Servers of a NATS cluster that hold a copy of each stream, at least.'),
});

const Retention = section({
  finished_after: Duration.nullable()
    .prefault('30d')
    .describe('How long a finished task is kept with its whole tree; null: as long as there is room.'),
  finished_size: Size.nullable()
    .prefault('2GB')
    .describe('What all finished trees may take up together; beyond it the oldest go. null: no limit.'),
  stream_size: Size.nullable()
    .prefault(null)
    .describe('What the log, the queue and the state may each take up before they refuse more; null: what the server has.'),
}).transform((it) => ({
  finishedAfterMs: it.finished_after,
  finishedBytes: it.finished_size,
  streamBytes: it.stream_size,
}));
export type Retention = z.infer<typeof Retention>;

const named = <Name extends z.ZodString, Entry extends z.ZodType>(name: Name, entry: Entry) =>
  z.record(name, entry).refine((all) => Object.keys(all).length <= 256, 'at most 256');

/** Reducers that are no backend by name: the backend that split the goal, and those in code. */
export const reducers = ['orchestrator', 'concat', 'json', 'vote'] as const;

export const RosterFile = section({
  backends: named(BackendName, BackendEntry)
    .refine((all) => Object.keys(all).length > 0, 'expected at least one backend')
    .describe('Who can think, by name.'),
  agents: named(AgentKindName, AgentKind)
    .default({})
    .describe('Kinds of agent, by name: in addition to the shipped ones, or instead of one of the same name.'),
  coordinator: z
    .enum(['deterministic', 'emergent'])
    .default('deterministic')
    .describe('deterministic: plan, fan out, reduce. emergent is accepted, but not built yet.'),
  reducer: z
    .string()
    .max(64)
    .default('orchestrator')
    .describe('Who makes one answer of the results: orchestrator, concat, json, vote, or the name of a backend.'),
  supervision: Supervision.prefault({}).describe('How a goal’s sub-tasks are looked after.'),
  routing: Routing.prefault({}).describe('How a backend is chosen.'),
  budgets: Budgets.prefault({}).describe('What may be spent.'),
  tools: ToolPolicy.prefault({}).describe('Rules for tools.'),
  limits: Limits.prefault({}).describe('Retries and patience of model calls.'),
  retention: Retention.prefault({}).describe('How long what is finished is kept.'),
  bus: BusRules.prefault({}).describe('How the bus keeps what it is given.'),
}).superRefine((roster, check) => {
  const isPlain = (reducers as readonly string[]).includes(roster.reducer);
  if (!isPlain && !(roster.reducer in roster.backends))
    check.addIssue({
      code: 'custom',
      path: ['reducer'],
      message: `expected ${reducers.join(', ')} or a backend (${Object.keys(roster.backends).join(', ')})`,
    });
});
export type Roster = z.infer<typeof RosterFile>;
