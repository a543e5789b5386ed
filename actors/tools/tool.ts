/** A tool is a zod schema, a description, an `effects` word and a function. */
import { z } from 'zod';
import type { Effects } from '../../machines/conversation.ts';

export interface ToolContext {
  /** Whose call it is: the id of the task, or the name of the primary's node. */
  readonly task: string;
  /** Absolute path that file tools are confined to. */
  readonly workspace: string;
  /** Fires when the call is not wanted any more; a tool that writes is left to finish unless the task ends. */
  readonly signal: AbortSignal;
  /** The same for every run of the same call: a service that knows idempotency keys can drop the second. */
  readonly idempotencyKey: string;
}
export interface ToolOutput {
  readonly text: string;
  /** Names of what it made, for the result's salvage. */
  readonly artifacts?: readonly string[];
}
export interface Tool<Args = unknown> {
  readonly name: string;
  readonly description: string;
  readonly args: z.ZodType<Args>;
  /** What happens in the world: `none` only reads, `idempotent` may run twice, `writes` is anything else. */
  readonly effects: Effects;
  /** Its call is a question to the operator; the answer is its result, and `run` is never called. */
  readonly asks?: boolean;
  /** @throws Error whose message tells the model what was wrong and what to try. */
  run(args: Args, context: ToolContext): Promise<ToolOutput>;
}

/** Keeps the argument type inside the definition; a set of tools does not care about it. */
export const defineTool = <Args>(tool: Tool<Args>): Tool => tool as Tool;

/** What a model is told of a tool. */
export const toolSpec = ({ name, description, args }: Tool) => {
  const { $schema: _, ...parameters } = z.toJSONSchema(args, { io: 'input' });
  return { name, description, parameters };
};

/** Longer outputs would push the task itself out of a small model's context. In characters. */
export const maxOutputChars = 12_000;
export const clip = (text: string, hint: string): string =>
  text.length <= maxOutputChars
    ? text
    : `${text.slice(0, maxOutputChars)}\n[cut off after ${maxOutputChars} of ${text.length} characters; ${hint}]`;
