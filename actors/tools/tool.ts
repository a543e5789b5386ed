/** A tool is a zod schema, a description, an `effects` word and a function. */
import { z } from 'zod';
import type { Effects } from '../../machines/conversation.ts';

export interface ToolContext {
  /** The caller: the id of the task, or `primary`. */
  readonly task: string;
  /** Absolute path that file tools are confined to. */
  readonly workspace: string;
  /** Fires when the call is not needed any more. A tool that writes may finish, unless the task ends. */
  readonly signal: AbortSignal;
  /** The same for every run of one call, so that a service that knows idempotency keys can drop a second run. */
  readonly idempotencyKey: string;
}
export interface ToolOutput {
  readonly text: string;
  /** Names of files and other things that the tool made, for the salvage of the result. */
  readonly artifacts?: readonly string[];
}
export interface Tool<Args = unknown> {
  readonly name: string;
  readonly description: string;
  readonly args: z.ZodType<Args>;
  /** The effects of a call on the world: `none` only reads, `idempotent` may run twice, `writes` is every other effect. */
  readonly effects: Effects;
  /** True: a call is a question to the operator, the answer is its result, and `run` is never called. */
  readonly asks?: boolean;
  /** @throws Error whose message tells the model what was wrong and what to try. */
  run(args: Args, context: ToolContext): Promise<ToolOutput>;
}

/**
 * Checks the type of the arguments inside the definition and hides it outside, so that one list can have tools with different
 * arguments.
 */
export const defineTool = <Args>(tool: Tool<Args>): Tool => tool as Tool;

/** The description of a tool that a model gets. */
export const toolSpec = ({ name, description, args }: Tool) => {
  const { $schema: _, ...parameters } = z.toJSONSchema(args, { io: 'input' });
  return { name, description, parameters };
};

/** Longest output of a tool in characters. A longer one would push the task itself out of a small model's context. */
export const maxOutputChars = 12_000;
export const clip = (text: string, hint: string): string =>
  text.length <= maxOutputChars
    ? text
    : `${text.slice(0, maxOutputChars)}\n[cut off after ${maxOutputChars} of ${text.length} characters; ${hint}]`;
