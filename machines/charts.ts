/** Each chart with its version and the migrations that bring older checkpoints up to that version. */
import type { AnyStateMachine } from 'xstate';
import { leftUsd, shareOf } from './budget.ts';
import { effectsOf } from './effects.ts';
import { all, childrenOf } from './plan.ts';
import { type SubAgentContext, subAgent, subAgentVersion } from './sub-agent.ts';
import { supervisor, supervisorVersion } from './supervisor.ts';
import type { SupervisorContext } from './supervisor-context.ts';

/** A persisted snapshot without its children, as a state record stores it. */
export type Checkpoint = Readonly<Record<string, unknown>>;
/** A pure function from a checkpoint of one version to the equivalent checkpoint of the next version. */
export type Migration = (checkpoint: Checkpoint) => Checkpoint;

export interface Chart {
  readonly machine: AnyStateMachine;
  readonly version: number;
  /** Keyed by the version that they start from. Where one is missing, the task strands and asks its operator. */
  readonly migrations: Readonly<Record<number, Migration>>;
}

export const subAgentChart: Chart = {
  machine: subAgent,
  version: subAgentVersion,
  migrations: {
    1: (checkpoint) => withContext(checkpoint, { reserved: null, toppedUpUsd: 0 }),
    2: (checkpoint) => withEffects(checkpoint),
  },
};

/** @param budgetUsd the goal's budget in US dollars, which version 1 did not store in its checkpoint; null: no limit. */
export const supervisorChart = (budgetUsd: number | null): Chart => ({
  machine: supervisor,
  version: supervisorVersion,
  migrations: {
    1: (checkpoint) => withSlices(checkpoint, budgetUsd),
    2: (checkpoint) => withContext(checkpoint, { allowed: [], waiting: [] }),
  },
});

const withContext = (checkpoint: Checkpoint, more: object): Checkpoint => ({
  ...checkpoint,
  context: { ...(checkpoint.context as object), ...more },
});

/**
 * Version 2 did not keep the effects of calls. The conversation has the calls but not how they ended, so each that may have run is
 * listed as in doubt.
 */
function withEffects(checkpoint: Checkpoint): Checkpoint {
  const { messages = [], calls = [] } = checkpoint.context as Partial<SubAgentContext>;
  const open = new Set(calls.map(({ id }) => id));
  const notRun = new Set(messages.flatMap((said) => (said.role === 'tool' && /^not run/.test(said.text) ? [said.call] : [])));
  const may = messages.flatMap((said) => (said.role === 'assistant' ? (said.calls ?? []) : []));
  const effects = may
    .filter(({ id }) => !open.has(id) && !notRun.has(id))
    .flatMap((call) => effectsOf(call, stepOf(call), 'in-doubt'));
  return withContext(checkpoint, { effects, sources: [], allowed: [], mustProduce: false, checked: false, missing: null });
}
/** The id of a call begins with its step: `s3-0`. */
const stepOf = ({ id }: { readonly id: string }): number => Number(/^s(\d+)-/.exec(id)?.[1] ?? 0);

/**
 * Version 1 gave each child an equal share when it started, never larger than a share computed now. Each child stores its own.
 */
function withSlices(checkpoint: Checkpoint, budgetUsd: number | null): Checkpoint {
  const { nodes, stopping, usage, policy } = checkpoint.context as SupervisorContext;
  const out = [...childrenOf(all(nodes)), ...stopping];
  const waiting = all(nodes).filter(({ status }) => status === 'waiting').length;
  const share = shareOf(leftUsd(budgetUsd, { usage, reserved: null }), waiting + out.length);
  const slices = share === null ? {} : Object.fromEntries(out.map((child) => [child, share]));
  return withContext(checkpoint, { policy: { ...policy, budgetUsd }, reserved: null, slices, toppedUpUsd: 0 });
}

/** @returns the migrated checkpoint; null where a migration between `version` and the chart's version is missing. */
export function migrate({ version: to, migrations }: Chart, version: number, checkpoint: Checkpoint): Checkpoint | null {
  let now = checkpoint;
  for (let at = version; at < to; at++) {
    const next = migrations[at];
    if (!next) return null;
    now = next(now);
  }
  return now;
}
