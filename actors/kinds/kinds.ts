/** The kinds of a node: those defined in code, and those of its present roster. */
import { CoxError } from '../../platform/errors.ts';
import type { Roster } from '../../roster/schema.ts';
import { askOperator } from '../tools/ask-operator.ts';
import { shippedTools } from '../tools/shipped-tools.ts';
import { makesFiles, type Tool } from '../tools/tool.ts';
import type { Kind } from './kind.ts';

export class Kinds {
  readonly #roster: () => Roster;
  readonly #defined: ReadonlyMap<string, Kind>;
  /** The tools that a roster may name, by their names. */
  readonly #tools: ReadonlyMap<string, Tool>;
  /** Kinds are made once for each roster; a reload brings a new roster object. */
  readonly #made = new WeakMap<Roster, Map<string, Kind | null>>();

  /** @param more tools that need the bus, or processes of the node. */
  constructor(roster: () => Roster, defined: readonly Kind[], more: readonly Tool[]) {
    this.#roster = roster;
    this.#defined = new Map(defined.map((kind) => [kind.name, kind]));
    const tools = [...shippedTools, ...more];
    this.#tools = new Map(tools.map((tool) => [tool.name, tool]));
  }

  /** @returns null if neither the code nor the roster knows the kind. */
  get(name: string): Kind | null {
    const roster = this.#roster();
    const made = this.#made.get(roster) ?? new Map<string, Kind | null>();
    this.#made.set(roster, made);
    if (!made.has(name)) made.set(name, this.#make(name, roster));
    return made.get(name) ?? null;
  }

  /** The names of all kinds, for errors and for the orchestrating model. */
  names(): string[] {
    return [...new Set([...this.#defined.keys(), ...Object.keys(this.#roster().agents)])];
  }

  /** All kinds, each with a description for the orchestrating model, and with what it can do. */
  list(): { name: string; about: string; writes: boolean; tools: string[] }[] {
    return this.names().map((name) => {
      const kind = this.get(name)!;
      return { name, about: aboutOf(kind), writes: kind.tools.some(makesFiles), tools: kind.tools.map((tool) => tool.name) };
    });
  }

  /** @throws CoxError `roster-unknown-tool` if a kind of the roster names a tool that does not exist. */
  check(): void {
    for (const [kind, { tools }] of Object.entries(this.#roster().agents)) {
      const stranger = tools.find((tool) => !this.#tools.has(tool));
      if (stranger)
        throw new CoxError('roster-unknown-tool', `agents.${kind}.tools: there is no tool ${stranger}`, {
          hint: `There are ${[...this.#tools.keys()].join(', ')}.`,
        });
    }
  }

  #make(name: string, { agents, budgets }: Roster): Kind | null {
    const inCode = this.#defined.get(name);
    if (inCode) return withAsking(inCode);
    const entry = Object.hasOwn(agents, name) ? agents[name] : undefined;
    if (!entry) return null;
    return withAsking({
      name,
      prompt: entry.prompt,
      tools: entry.tools.flatMap((tool) => this.#tools.get(tool) ?? []),
      needs: entry.needs,
      prefers: entry.prefers,
      limits: { ...entry.limits, costUsd: entry.limits.costUsd ?? budgets.taskUsd },
    });
  }
}

const withAsking = (kind: Kind): Kind =>
  kind.tools.some((tool) => tool.asks) ? kind : { ...kind, tools: [...kind.tools, askOperator] };

/** Describes a kind by its tools, else by the first line of its prompt. */
const aboutOf = ({ tools, prompt }: Kind): string => {
  const own = tools.filter(({ asks }) => !asks);
  return own.length > 0 ? `can use ${own.map(({ name }) => name).join(', ')}` : (prompt.split('\n')[0] ?? '').trim();
};
