import { CoxError } from '../../platform/errors.ts';
import { AgentKindName } from '../../roster/schema.ts';
import type { Tool } from '../tools/tool.ts';
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
  readonly limits?: {
    /** Model calls before the task asks its operator for more. Default: 24. */
    readonly steps?: number;
    /** Failures in a row before the task asks for help. Default: 3. */
    readonly failures?: number;
    /** How many times the same tool calls may be repeated before the task asks for help. Default: 3. */
    readonly repeats?: number;
    /** US dollars that one task may cost before it asks its operator. Default: no limit. */
    readonly costUsd?: number;
  };
}

/**
 * Defines a kind of sub-agent for `startNode`.
 * @throws CoxError `bad-kind` if the name, the prompt or the tools are invalid.
 */
export function defineKind({ name, prompt = '', think, check, tools = [], needs = [], limits = {} }: KindDefinition): Kind {
  const wrong = (what: string) =>
    new CoxError('bad-kind', `The kind "${name}" ${what}`, { hint: 'docs/library.md describes the parts of a kind.' });
  const checked = AgentKindName.safeParse(name);
  if (!checked.success) throw wrong(`has an invalid name: ${checked.error.issues[0]?.message}`);
  if (prompt.trim() === '' && !think) throw wrong('has no prompt');
  const twice = tools.find((tool, at) => tools.findIndex((other) => other.name === tool.name) !== at);
  if (twice) throw wrong(`has two tools named ${twice.name}`);
  const nameless = tools.find((tool) => !/^[A-Za-z0-9_-]{1,64}$/.test(tool.name));
  if (nameless) throw wrong(`has a tool named "${nameless.name}"; a name has at most 64 letters, digits, - and _`);
  const { steps = 24, failures = 3, repeats = 3, costUsd = null } = limits;
  return {
    name,
    prompt,
    tools,
    needs,
    limits: { steps, failures, repeats, costUsd },
    ...(think && { think }),
    ...(check && { check }),
  };
}
