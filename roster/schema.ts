/**
 * The roster file: the backends, the kinds of agent, and the rules. It is strict: an unknown key is an error. YAML keys are
 * snake_case, the types camelCase. Every key is described in docs/roster.md, which a test compares with this schema.
 */
import { z } from 'zod';
import { BackendEntry } from './backend-schema.ts';
import { Duration, Size } from './quantity.ts';
import { section } from './strict-section.ts';
import { WebRules } from './web-schema.ts';

export const BackendName = z
  .string()
  .max(64)
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, 'letters, digits, ., - and _, at most 64');
// The form is that of a task's type on the bus, because the name is used as such.
export const AgentKindName = z
  .string()
  .max(64)
  .regex(/^[a-z][a-z0-9_-]*$/, 'lower case letters, digits, - and _, starting with a letter, at most 64')
  .refine((name) => name !== 'supervisor', '`supervisor` is built in: choose another name');
const ToolName = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'letters, digits, - and _, at most 64');
const usd = z.number().nonnegative().nullable().default(null);

const AgentLimits = section({
  steps: z.int().min(1).max(10_000).default(24).describe('Model calls before the task asks the operator for more.'),
  failures: z.int().min(1).max(100).default(3).describe('Failures in a row before the task asks for help.'),
  repeats: z.int().min(1).max(100).default(3).describe('Repetitions of the same tool calls before the task asks for help.'),
  cost_usd: usd.describe('US dollars that one task may cost before it asks for more; null: no limit.'),
}).transform(({ cost_usd: costUsd, ...limits }) => ({ ...limits, costUsd }));

const AgentKind = section({
  prompt: z.string().min(1).max(65_536).describe('The system prompt.'),
  tools: z.array(ToolName).max(64).default([]).describe('Names of the tools that the agent may call.'),
  needs: z
    .array(z.string().min(1).max(64))
    .max(16)
    .default([])
    .describe('Capabilities that its backend must have, if the task names none.'),
  prefers: z
    .array(z.string().min(1).max(64))
    .max(16)
    .default([])
    .describe('Capabilities that its backend should have. Backends with more of them come first, whatever they cost.'),
  limits: AgentLimits.prefault({}).describe('Limits at which the task stops and asks.'),
});
export type AgentKind = z.infer<typeof AgentKind>;

const Supervision = section({
  on_failure: z
    .enum(['retry', 'failover', 'ask', 'skip', 'escalate'])
    .default('failover')
    .describe('The supervisor’s reaction to a failed sub-task.'),
  max_attempts: z.int().min(1).max(100).default(3).describe('Tries of one sub-task before the operator is asked.'),
  concurrency: z.int().min(1).max(10_000).default(16).describe('Maximum number of sub-tasks of one goal that run at once.'),
  max_tasks: z.int().min(1).max(10_000).default(64).describe('Maximum number of sub-tasks in a plan.'),
  max_depth: z.int().min(1).max(8).default(2).describe('Maximum number of supervisor levels.'),
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
    .describe('Tiers whose backends may be chosen.'),
  rotate: z.boolean().default(true).describe('Rotate among backends that are equally cheap.'),
});

const Budgets = section({
  goal_usd: usd.describe('US dollars that one goal and all its sub-tasks may cost together; null: no limit.'),
  task_usd: usd.describe('US dollars that one sub-task may cost if its kind sets no limit; null: no limit.'),
}).transform((it) => ({ goalUsd: it.goal_usd, taskUsd: it.task_usd }));

/** Who has write_file asked about has the other tools asked about that write files: a roster may be older than these are. */
const withFileWriters = (gated: string[]): string[] =>
  gated.includes('write_file') ? [...new Set([...gated, 'edit_file', 'apply_patch'])] : gated;
const ToolPolicy = section({
  gated: z
    .array(ToolName)
    .max(256)
    .default(['write_file'])
    .transform(withFileWriters)
    .describe('Tools whose every call the operator must allow. write_file stands for edit_file and apply_patch too.'),
  allowed: z.array(ToolName).max(256).default([]).describe('Tools that run unasked although `gated` names them.'),
}).transform(({ gated, allowed }) => ({ gated: gated.filter((tool) => !allowed.includes(tool)), allowed }));

const Limits = section({
  retries: z.int().min(0).max(10).default(2).describe('Further tries of a call that failed for a temporary reason.'),
  retry_first_ms: z
    .number()
    .min(0)
    .max(60_000)
    .default(500)
    .describe('Longest wait before the second try, in ms. It doubles with each further try.'),
  retry_most_ms: z
    .number()
    .min(0)
    .max(3_600_000)
    .default(30_000)
    .describe('Longest wait before any try, in ms. If the backend asks for a longer one, the call fails.'),
  breaker_failures: z.int().min(1).max(1000).default(3).describe('Failed calls in a row before the backend gets no more calls.'),
  breaker_seconds: z.number().min(0).max(86_400).default(30).describe('Seconds for which it gets no calls.'),
  call_seconds: z
    .number()
    .min(0.05)
    .max(86_400)
    .default(3_600)
    .describe('A call is given up after this many seconds, also while the reply still comes.'),
  silence_seconds: z.number().min(0.05).max(300).default(300).describe('A call is given up after this many seconds of silence.'),
}).transform((it) => ({
  retries: it.retries,
  retryFirstMs: it.retry_first_ms,
  retryMostMs: it.retry_most_ms,
  breakerFailures: it.breaker_failures,
  breakerMs: it.breaker_seconds * 1000,
  callMs: it.call_seconds * 1000,
  silenceMs: it.silence_seconds * 1000,
}));
export type CallLimits = z.infer<typeof Limits>;

const BusRules = section({
  replicas: z
    .union([z.literal(1), z.literal(3), z.literal(5)], 'expected 1, 3 or 5')
    .default(1)
    .describe('Minimum number of servers of a NATS cluster that store a copy of each stream.'),
});

const Retention = section({
  finished_after: Duration.nullable()
    .prefault('30d')
    .describe('How long a finished task is kept with its whole tree; null: no limit of time.'),
  finished_size: Size.nullable()
    .prefault('2GB')
    .describe('Maximum size of all finished trees together; beyond it the oldest are deleted. null: no limit.'),
  stream_size: Size.nullable()
    .prefault(null)
    .describe(
      'Maximum size of each of the log, the queue and the state; beyond it they refuse writes. null: the server’s limit.',
    ),
}).transform((it) => ({
  finishedAfterMs: it.finished_after,
  finishedBytes: it.finished_size,
  streamBytes: it.stream_size,
}));
export type Retention = z.infer<typeof Retention>;

const Pricing = section({
  reference: z
    .union([z.string().min(1).max(64), z.strictObject({ input: z.number().min(0).max(1e6), output: z.number().min(0).max(1e6) })])
    .nullable()
    .default(null)
    .describe('The model that costs are compared with: the name of a backend with a `cost`, or US dollars per million tokens.'),
});

const named = <Name extends z.ZodString, Entry extends z.ZodType>(name: Name, entry: Entry) =>
  z.record(name, entry).refine((all) => Object.keys(all).length <= 256, 'at most 256');

/** Reducers that are not names of backends: `orchestrator` is the backend that split the goal, the others are code. */
export const reducers = ['orchestrator', 'concat', 'effects', 'json', 'vote'] as const;

export const RosterFile = section({
  backends: named(BackendName, BackendEntry)
    .refine((all) => Object.keys(all).length > 0, 'expected at least one backend')
    .describe('Backends by name.'),
  agents: named(AgentKindName, AgentKind)
    .default({})
    .describe('Kinds of agent by name. They add to the shipped kinds; one of the same name replaces the shipped one.'),
  coordinator: z
    .enum(['deterministic', 'emergent'])
    .default('deterministic')
    .describe('deterministic: plan, fan out, reduce. emergent is accepted, but not built yet.'),
  reducer: z
    .string()
    .max(64)
    .default('orchestrator')
    .describe('Makes one answer of the results: orchestrator, concat, effects, json, vote, or the name of a backend.'),
  supervision: Supervision.prefault({}).describe('Supervision of a goal’s sub-tasks.'),
  routing: Routing.prefault({}).describe('Rules for the choice of a backend.'),
  budgets: Budgets.prefault({}).describe('Limits of spending.'),
  tools: ToolPolicy.prefault({}).describe('Rules for tools.'),
  web: WebRules.prefault({}).describe('Where agents may go on the web, and about which acts there they ask.'),
  limits: Limits.prefault({}).describe('Retries and timeouts of model calls.'),
  retention: Retention.prefault({}).describe('Retention of finished tasks.'),
  pricing: Pricing.prefault({}).describe('What costs are compared with.'),
  bus: BusRules.prefault({}).describe('Replication of the bus’s streams.'),
}).superRefine((roster, check) => {
  const { reference } = roster.pricing;
  if (typeof reference === 'string' && !(Object.hasOwn(roster.backends, reference) && roster.backends[reference]?.cost))
    check.addIssue({
      code: 'custom',
      path: ['pricing', 'reference'],
      message: `expected a backend with a cost, or { input, output } in US dollars per million tokens`,
    });
  const isPlain = (reducers as readonly string[]).includes(roster.reducer);
  if (!isPlain && !Object.hasOwn(roster.backends, roster.reducer))
    check.addIssue({
      code: 'custom',
      path: ['reducer'],
      message: `expected ${reducers.join(', ')} or a backend (${Object.keys(roster.backends).join(', ')})`,
    });
});
export type Roster = z.infer<typeof RosterFile>;
