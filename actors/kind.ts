/** A sub-agent kind: a prompt, tools, what its backend must be good at, and limits. From the roster, or defined in code by a library user. */
import { z } from 'zod';
import type { Message } from '../machines/conversation.ts';
import type { Limits } from '../machines/sub-agent.ts';
import { CoxError } from '../platform/errors.ts';
import type { Roster } from '../roster/schema.ts';
import { askOperator } from './tools/ask-operator.ts';
import { listFiles, readFileTool, searchFiles, writeFileTool } from './tools/files.ts';
import type { Tool } from './tools/tool.ts';

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

/** Tools that a roster may name, beside those that need the bus (tools/memory.ts). */
export const builtInTools: ReadonlyMap<string, Tool> = new Map(
  [listFiles, readFileTool, searchFiles, writeFileTool, askOperator].map((tool) => [tool.name, tool]),
);

/**
 * @param more tools that a roster may name as well.
 * @returns null where neither the code nor the roster knows the kind.
 */
export function kindOf(
  name: string,
  roster: Roster,
  defined: ReadonlyMap<string, Kind>,
  more: readonly Tool[] = [],
): Kind | null {
  const inCode = defined.get(name);
  if (inCode) return withAsking(inCode);
  const entry = Object.hasOwn(roster.agents, name) ? roster.agents[name] : undefined;
  if (!entry) return null;
  const tools = entry.tools.flatMap((tool) => builtInTools.get(tool) ?? more.find((it) => it.name === tool) ?? []);
  return withAsking({
    name,
    prompt: entry.prompt,
    tools,
    needs: entry.needs,
    limits: { ...entry.limits, costUsd: entry.limits.costUsd ?? roster.budgets.taskUsd },
  });
}

/** @throws CoxError `roster-unknown-tool`: a kind of the roster names a tool that nobody has. */
export function checkTools(roster: Roster, more: readonly Tool[]): void {
  const known = new Set([...builtInTools.keys(), ...more.map((tool) => tool.name)]);
  for (const [kind, { tools }] of Object.entries(roster.agents)) {
    const stranger = tools.find((tool) => !known.has(tool));
    if (stranger)
      throw new CoxError('roster-unknown-tool', `agents.${kind}.tools: there is no tool ${stranger}`, {
        hint: `There are ${[...known].join(', ')}.`,
      });
  }
}

/** Names of every kind, for errors and for the orchestrating model. */
export const kindNames = (roster: Roster, defined: ReadonlyMap<string, Kind>): string[] => [
  ...new Set([...defined.keys(), ...Object.keys(roster.agents)]),
];

const withAsking = (kind: Kind): Kind =>
  kind.tools.some((tool) => tool.asks) ? kind : { ...kind, tools: [...kind.tools, askOperator] };

/** A tool's arguments as the model gave them, checked. */
export function checkArgs(tool: Tool, args: unknown): { ok: true; args: unknown } | { ok: false; problem: string } {
  const parsed = tool.args.safeParse(args);
  return parsed.success ? { ok: true, args: parsed.data } : { ok: false, problem: z.prettifyError(parsed.error) };
}
