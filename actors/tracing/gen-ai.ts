/**
 * Names of spans, attributes and figures. Those of the GenAI semantic conventions are of their release v0.1.0
 * (github.com/open-telemetry/semantic-conventions-genai, docs/gen-ai/client-inference.md, invoke-agent and execute-tool; all of
 * them are in development, and OpenTelemetry's packages have no constants for them any more). Ours begin with `cox.`.
 */

/** Attributes of spans and figures. */
export const attr = {
  operation: 'gen_ai.operation.name',
  provider: 'gen_ai.provider.name',
  agent: 'gen_ai.agent.name',
  conversation: 'gen_ai.conversation.id',
  model: 'gen_ai.request.model',
  stream: 'gen_ai.request.stream',
  temperature: 'gen_ai.request.temperature',
  maxTokens: 'gen_ai.request.max_tokens',
  outputType: 'gen_ai.output.type',
  finishReasons: 'gen_ai.response.finish_reasons',
  firstChunk: 'gen_ai.response.time_to_first_chunk',
  inputTokens: 'gen_ai.usage.input_tokens',
  outputTokens: 'gen_ai.usage.output_tokens',
  inputMessages: 'gen_ai.input.messages',
  outputMessages: 'gen_ai.output.messages',
  tool: 'gen_ai.tool.name',
  toolType: 'gen_ai.tool.type',
  toolCall: 'gen_ai.tool.call.id',
  toolArguments: 'gen_ai.tool.call.arguments',
  toolResult: 'gen_ai.tool.call.result',
  error: 'error.type',
  task: 'cox.task',
  goal: 'cox.goal',
  node: 'cox.node',
  epoch: 'cox.epoch',
  step: 'cox.step',
  steps: 'cox.steps',
  outcome: 'cox.outcome',
  backend: 'cox.backend',
  costUsd: 'cox.cost_usd',
  estimatedUsd: 'cox.estimated_usd',
  /** A span that the next worker has ended, because the worker that began it was lost. */
  lost: 'cox.lost',
  steer: 'cox.steer',
  steerKind: 'cox.steer.kind',
  steerFate: 'cox.steer.fate',
  steerBy: 'cox.steer.by',
  isEstimated: 'cox.estimated',
} as const;

export const operation = { agent: 'invoke_agent', chat: 'chat', tool: 'execute_tool' } as const;

/** Values of `gen_ai.provider.name`: the protocol that a backend of this kind speaks. */
export const providerOf = (kind: string | undefined): string => (kind === 'embedded' ? 'llama_cpp' : 'openai');

const tokens = '{token}';
/** Boundaries of buckets that the conventions ask for, in seconds. */
const quick = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
/** From a tenth of a second to a day, for work that waits for people. */
const slow = [0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600, 14400, 86400];

export interface Instrument {
  /** By the conventions of OpenTelemetry, with dots. */
  readonly name: string;
  readonly kind: 'counter' | 'histogram';
  /** By UCUM. */
  readonly unit: string;
  readonly about: string;
  readonly buckets?: readonly number[];
}

const counter = (name: string, unit: string, about: string): Instrument => ({ name, kind: 'counter', unit, about });
const seconds = (name: string, about: string, buckets = quick): Instrument => ({
  name,
  kind: 'histogram',
  unit: 's',
  about,
  buckets,
});

export const figure = {
  inputTokens: counter('gen_ai.client.inference.usage.input_tokens', tokens, 'Tokens of prompts.'),
  outputTokens: counter('gen_ai.client.inference.usage.output_tokens', tokens, 'Tokens of replies.'),
  inference: seconds('gen_ai.client.inference.duration', 'Time of a model call, with its tries and its wait in line.'),
  firstChunk: seconds('gen_ai.client.inference.time_to_first_chunk', 'Time from a model call to the first piece of its reply.'),
  agent: seconds('gen_ai.invoke_agent.duration', 'Time from the order of a task to its result.', slow),
  tool: seconds('gen_ai.execute_tool.duration', 'Time of a tool call.'),
  cost: counter('cox.cost', 'USD', 'US dollars spent on model calls, estimates included.'),
  queue: seconds('cox.queue.time', 'Time from the order of a task to its first claim.'),
  steer: seconds('cox.steer.latency', 'Time from the receipt of a steer by the log to its final receipt.', slow),
  tasks: counter('cox.tasks', '{task}', 'Tasks that have ended.'),
  lost: counter('cox.lost_workers', '{worker}', 'Tasks that were taken over from a lost worker.'),
  spans: counter('cox.spans', '{span}', 'Spans that were made.'),
  dropped: counter('cox.spans.dropped', '{span}', 'Spans that were dropped: the queue was full, or the collector took none.'),
} as const;
