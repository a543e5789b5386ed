/** Both charts as checkpoints are compared with them: which version this is, and how older ones are brought up to it. */
import type { AnyStateMachine } from 'xstate';
import { subAgent, subAgentVersion } from './sub-agent.ts';
import { supervisor, supervisorVersion } from './supervisor.ts';

/** A persisted snapshot without its children, as a state record keeps it. */
export type Checkpoint = Readonly<Record<string, unknown>>;
/** Pure: the checkpoint of one version as the next would have written it. */
export type Migration = (checkpoint: Checkpoint) => Checkpoint;

export interface Chart {
  readonly machine: AnyStateMachine;
  readonly version: number;
  /** By the version that they start from. One that is missing ends the path: such a task asks its operator. */
  readonly migrations: Readonly<Record<number, Migration>>;
}

export const subAgentChart: Chart = { machine: subAgent, version: subAgentVersion, migrations: {} };
export const supervisorChart: Chart = { machine: supervisor, version: supervisorVersion, migrations: {} };

/** @returns null where a step of the way from `version` to the chart's is missing. */
export function migrate({ version: to, migrations }: Chart, version: number, checkpoint: Checkpoint): Checkpoint | null {
  let now = checkpoint;
  for (let at = version; at < to; at++) {
    const next = migrations[at];
    if (!next) return null;
    now = next(now);
  }
  return now;
}
