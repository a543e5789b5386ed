/** Both shapes of a plan use these: the parts of the request to the model, and the reducer at the end. */
import { isPlainReducer, type NodeSpec, type Reduce } from '../../machines/plan.ts';
import type { DecomposeInput } from '../../machines/supervisor-context.ts';
import type { Backends } from '../../roster/backends.ts';
import type { Roster } from '../../roster/schema.ts';

export interface PlanOptions {
  readonly backends: Backends;
  readonly roster: () => Roster;
  /** Absolute path of the folder of the goal's files. @throws CoxError `workspace-refused`. */
  readonly workspace: () => string;
  /** Kinds of sub-agent that a plan may name. */
  readonly kinds: () => readonly PlannedKind[];
}
export interface PlannedKind {
  readonly name: string;
  /** A description for the model. */
  readonly about: string;
  /** Whether it can make files. */
  readonly writes: boolean;
  /** The names of its tools. */
  readonly tools: readonly string[];
}
export interface Planned {
  readonly nodes: readonly NodeSpec[];
  readonly reduce: Reduce;
}

export const firstLines = ({ instruction, corrections, nodes }: DecomposeInput): string =>
  [
    `Goal: ${instruction}`,
    ...corrections.map((text) => `The operator added: ${text}`),
    ...Object.keys(nodes).map((key) => `Done already: ${key}`),
  ].join('\n');

export const kindList = (options: Pick<PlanOptions, 'kinds'>) =>
  options
    .kinds()
    .map(({ name, about }) => `- ${name}: ${about}`)
    .join('\n');

export const reduceBy = ({ reducer }: Pick<Roster, 'reducer'>, instruction: string): Reduce => {
  if (reducer === 'orchestrator') return { by: 'orchestrator', instruction };
  if (isPlainReducer(reducer)) return { by: reducer };
  return { by: 'backend', backend: reducer, instruction };
};
