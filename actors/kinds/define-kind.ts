import { z } from 'zod';
import { describe, quoted } from '../../bus/parse-message.ts';
import { CoxError } from '../../platform/errors.ts';
import { AgentKindName } from '../../roster/schema.ts';
import { askOperator } from '../tools/ask-operator.ts';
import type { Tool } from '../tools/tool.ts';
import { toolProblem } from '../tools/tool-problem.ts';
import type { CheckInCode, Kind, ThinkInCode } from './kind.ts';

export interface KindDefinition {
  /** The type by which its tasks are dispatched: at most 64 lower case letters, digits, - and _, beginning with a letter. */
  readonly name: string;
  /**
   * The system prompt. It should tell the model when to stop: a reply without a tool call is the result. Required unless `think`
   * is given.
   */
  readonly prompt?: string;
  /** Replaces the backend. It is called once for each step and returns a reply, as a model would. */
  readonly think?: ThinkInCode;
  /** Checks each last answer. Default: none. */
  readonly check?: CheckInCode;
  /** Default: none. Every kind also has `ask_operator`. */
  readonly tools?: readonly Tool[];
  /** Capabilities that the backend must have in its `good_at`, all of them. Default: none, so that every backend fits. */
  readonly needs?: readonly string[];
  /** Capabilities that the backend should have: backends with more of them come first, whatever they cost. Default: none. */
  readonly prefers?: readonly string[];
  readonly limits?: {
    /** Model calls before the task asks its operator for more. Default: 24. */
    readonly steps?: number;
    /** Failures in a row before the task asks for help. Default: 3. */
    readonly failures?: number;
    /** How many times the same tool calls may be repeated before the task asks for help. Default: 3. */
    readonly repeats?: number;
    /** US dollars that one task may cost before it asks its operator. Default: no limit. */
    readonly costUsd?: number | null;
  };
}

const count = z.int().min(1).max(1_000_000);
const Limits = z.strictObject({
  steps: count.default(24),
  failures: count.default(3),
  repeats: count.default(3),
  costUsd: z.number().nonnegative().nullable().default(null),
});
const isFunction = (it: unknown): boolean => typeof it === 'function';
const Definition = z.strictObject({
  name: AgentKindName,
  prompt: z.string().default(''),
  think: z.custom<ThinkInCode>(isFunction, 'it is not a function').optional(),
  check: z.custom<CheckInCode>(isFunction, 'it is not a function').optional(),
  tools: z.array(z.custom<Tool>()).default([]),
  needs: z.array(z.string().min(1).max(64)).default([]),
  prefers: z.array(z.string().min(1).max(64)).default([]),
  limits: Limits.prefault({}),
});

/**
 * Defines a kind of sub-agent for `startNode`.
 * @throws CoxError `bad-kind`, which says which part is wrong and why.
 */
export function defineKind(definition: KindDefinition): Kind {
  const name = quoted(String(definition?.name));
  const wrong = (what: string) =>
    new CoxError('bad-kind', `The kind "${name}" ${what}`, { hint: 'docs/library.md describes the parts of a kind.' });
  const parsed = Definition.safeParse(definition);
  if (!parsed.success) throw wrong(`cannot be used: ${describe(parsed.error)}`);
  const { think, check, ...kind } = parsed.data;
  if (kind.prompt.trim() === '' && !think) throw wrong('has no prompt');
  const { tools } = kind;
  const problem = tools.map((tool) => (tool === askOperator ? null : toolProblem(tool))).find((it) => it !== null);
  if (problem) throw wrong(`cannot be used: ${problem}`);
  const twice = tools.find((tool, at) => tools.findIndex((other) => other.name === tool.name) !== at);
  if (twice) throw wrong(`has two tools named ${twice.name}`);
  return { ...kind, ...(think && { think }), ...(check && { check }) };
}
