import { CoxError } from '../../platform/errors.ts';
import { AgentKindName } from '../../roster/schema.ts';
import type { Tool } from '../tools/tool.ts';
import type { Kind, ThinkInCode } from './kind.ts';

export interface KindDefinition {
  /** The type by which its tasks are dispatched: lower case letters, digits, - and _, starting with a letter, at most 64. */
  readonly name: string;
  /** The system prompt. Say when it should stop; its last reply without a tool call is the result. Needed where nothing else thinks. */
  readonly prompt?: string;
  /** Thinks in place of a backend, step by step: what it returns is a reply as a model's would be. */
  readonly think?: ThinkInCode;
  /** Default: none. `ask_operator` is always there. */
  readonly tools?: readonly Tool[];
  /** What its backend must be good at: all of them in the backend's `good_at`. Default: any backend will do. */
  readonly needs?: readonly string[];
  readonly limits?: {
    /** Model calls before it asks the operator for more. Default: 24. */
    readonly steps?: number;
    /** Failures in a row before it asks for help. Default: 3. */
    readonly failures?: number;
    /** Times the same tool calls may be repeated before it asks for help. Default: 3. */
    readonly repeats?: number;
    /** US dollars one task may cost before it asks. Default: no limit. */
    readonly costUsd?: number;
  };
}

/**
 * A kind of sub-agent, to be given to `startNode`.
 * @throws CoxError `bad-kind`.
 */
export function defineKind({ name, prompt = '', think, tools = [], needs = [], limits = {} }: KindDefinition): Kind {
  const wrong = (what: string) =>
    new CoxError('bad-kind', `The kind "${name}" ${what}`, { hint: 'See docs/library.md for what a kind is made of.' });
  const checked = AgentKindName.safeParse(name);
  if (!checked.success) throw wrong(`has no good name: ${checked.error.issues[0]?.message}`);
  if (prompt.trim() === '' && !think) throw wrong('has no prompt');
  const twice = tools.find((tool, at) => tools.findIndex((other) => other.name === tool.name) !== at);
  if (twice) throw wrong(`has two tools ${twice.name}`);
  const nameless = tools.find((tool) => !/^[A-Za-z0-9_-]{1,64}$/.test(tool.name));
  if (nameless) throw wrong(`has a tool "${nameless.name}": letters, digits, - and _, at most 64`);
  const { steps = 24, failures = 3, repeats = 3, costUsd = null } = limits;
  return { name, prompt, tools, needs, limits: { steps, failures, repeats, costUsd }, ...(think && { think }) };
}
