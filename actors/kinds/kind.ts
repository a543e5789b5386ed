/**
 * A kind of sub-agent: a prompt, tools, the capabilities its backend needs, and limits. The roster or the code of a program
 * defines it.
 */
import { z } from 'zod';
import type { Message } from '../../machines/conversation.ts';
import type { Effect } from '../../machines/effects.ts';
import type { Limits } from '../../machines/sub-agent.ts';
import { messageOf } from '../../platform/errors.ts';
import type { Tool } from '../tools/tool.ts';

export interface Kind {
  readonly name: string;
  /** The system prompt. */
  readonly prompt: string;
  readonly tools: readonly Tool[];
  readonly needs: readonly string[];
  /** Capabilities that its backend should have. Default: none. */
  readonly prefers?: readonly string[];
  readonly limits: Pick<Limits, 'steps' | 'failures' | 'repeats' | 'costUsd'>;
  /** Replaces the backend. */
  readonly think?: ThinkInCode;
  /** Checks each last answer of a task of the kind. */
  readonly check?: CheckInCode;
}
/**
 * Looks whether an answer is as it must be. It must have no effects, because it runs again after a crash.
 * @returns null, or what is wrong, for the agent: it is told once, and then the task fails as `not-as-expected`.
 */
export type CheckInCode = (
  answer: string,
  task: { readonly instruction: string; readonly effects: readonly Effect[]; readonly workspace: string },
  signal: AbortSignal,
) => string | null | Promise<string | null>;

export interface Thought {
  /** The present instruction of the task. */
  readonly instruction: string;
  /** The conversation so far, with the instruction first and every correction in its place. */
  readonly messages: readonly Message[];
  /** Results of the sub-tasks that this task depends on. */
  readonly context: readonly { readonly title: string; readonly text: string }[];
  /** Counts from 1. */
  readonly step: number;
}
/** A reply of a `think` function. Without `calls`, `text` is the result of the task. */
export interface CodeReply {
  readonly text: string;
  readonly calls?: readonly { readonly tool: string; readonly args: unknown }[];
}
/** Must have no effects, because it runs again after a crash; effects belong in tools. An urgent correction fires `signal`. */
export type ThinkInCode = (thought: Thought, signal: AbortSignal) => string | CodeReply | Promise<string | CodeReply>;

type CheckedArgs = { readonly ok: true; readonly args: unknown } | { readonly ok: false; readonly problem: string };

/** Checks a tool's arguments as the model gave them. A schema may have refinements of its own. */
export async function checkArgs(tool: Tool, args: unknown): Promise<CheckedArgs> {
  // Text is what is left of arguments that are no JSON (roster/model-call.ts).
  if (typeof args === 'string')
    return {
      ok: false,
      problem: 'they are no whole JSON object. Call it again with all of them; if they were cut off, ask for less at once',
    };
  try {
    const parsed = await tool.args.safeParseAsync(args);
    return parsed.success ? { ok: true, args: parsed.data } : { ok: false, problem: z.prettifyError(parsed.error) };
  } catch (cause) {
    return { ok: false, problem: `they cannot be checked: ${messageOf(cause)}` };
  }
}
