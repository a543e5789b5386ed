/** A sub-agent kind: a prompt, tools, what its backend must be good at, and limits. From the roster, or defined in code by a library user. */
import { z } from 'zod';
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
}

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
