/** A sub-agent kind: a prompt, tools, what its backend must be good at, and limits. From the roster, or defined in code by a library user. */
import { z } from 'zod';
import type { Message } from '../../machines/conversation.ts';
import type { Limits } from '../../machines/sub-agent.ts';
import type { Tool } from '../tools/tool.ts';

export interface Kind {
  readonly name: string;
  /** The system prompt. */
  readonly prompt: string;
  readonly tools: readonly Tool[];
  readonly needs: readonly string[];
  readonly limits: Pick<Limits, 'steps' | 'failures' | 'repeats' | 'costUsd'>;
  /** Thinks in place of a backend. */
  readonly think?: ThinkInCode;
}

export interface Thought {
  /** What it is asked to do now. */
  readonly instruction: string;
  /** The conversation so far, with the instruction first and every correction in its place. */
  readonly messages: readonly Message[];
  /** Results of the sub-tasks that this one was to wait for. */
  readonly context: readonly { readonly title: string; readonly text: string }[];
  /** Counts from 1. */
  readonly step: number;
}
/** Tools to be called next, or none: then the text is the result. */
export interface CodeReply {
  readonly text: string;
  readonly calls?: readonly { readonly tool: string; readonly args: unknown }[];
}
/** Must have no effects of its own, since it runs again after a crash: those are for tools. Aborted by an urgent correction. */
export type ThinkInCode = (thought: Thought, signal: AbortSignal) => string | CodeReply | Promise<string | CodeReply>;

/** A tool's arguments as the model gave them, checked. */
export function checkArgs(tool: Tool, args: unknown): { ok: true; args: unknown } | { ok: false; problem: string } {
  const parsed = tool.args.safeParse(args);
  return parsed.success ? { ok: true, args: parsed.data } : { ok: false, problem: z.prettifyError(parsed.error) };
}
