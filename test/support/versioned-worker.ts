/** A worker of a node with another version of the charts. */

import { defineKind } from '../../actors/kinds/define-kind.ts';
import type { CrewSession } from '../../actors/node/join.ts';
import { Worker, type WorkerOptions } from '../../actors/node/worker.ts';
import { Pictures } from '../../actors/sub-agent/pictures.ts';
import { subAgentRole } from '../../actors/sub-agent/role.ts';
import { askOperator } from '../../actors/tools/ask-operator.ts';
import { Reader } from '../../actors/tools/vision/reader.ts';
import { Artifacts } from '../../bus/artifacts/artifacts.ts';
import type { StateRecord } from '../../bus/state/state-record.ts';
import { readState, replaceState } from '../../bus/state/state-store.ts';
import { type Chart, subAgentChart } from '../../machines/charts.ts';
import { Backends } from '../../roster/backends.ts';
import type { TestCrew } from './crew.ts';
import { testRoster } from './roster.ts';

export type VersionedOptions = Partial<Pick<WorkerOptions, 'leaveMs' | 'retryMs' | 'leaseMs' | 'sweepMs' | 'onRunEnd'>> &
  Partial<Pick<Chart, 'version' | 'migrations'>>;

/** Works on `reasoning` tasks with the sub-agent chart as `version`. */
export function workerOf(
  crew: TestCrew,
  { bus, name, folders, log, env }: CrewSession,
  options: VersionedOptions,
): Promise<Worker> {
  const { version = 1, migrations = {}, ...rest } = options;
  const roster = testRoster(crew.model.url);
  const backends = new Backends({ roster: () => roster, folders, log, onProgress: () => {}, env });
  const chart: Chart = { ...subAgentChart, version, migrations };
  const kind = defineKind({ name: 'reasoning', prompt: 'You think.', tools: [askOperator] });
  const { now } = bus;
  const artifacts = new Artifacts(bus);
  const pictures = new Pictures(artifacts, new Reader({ folders, log, onProgress: () => {}, env }));
  return Worker.start({
    bus,
    name,
    types: ['reasoning'],
    slots: 4,
    now,
    chartOf: () => chart,
    roleOf: (_, host) => ({
      ...subAgentRole(host, {
        kind,
        backends,
        gated: [],
        allowed: [],
        workspace: crew.folder,
        artifacts,
        pictures,
        now,
      }),
      machine: { id: chart.machine.id, version },
    }),
    ...rest,
  });
}

/** Changes a record as a node of another version, or somebody with access to the bucket, would leave it. */
export async function rewrite(
  { bus }: CrewSession,
  id: string,
  change: (record: StateRecord) => Partial<StateRecord>,
): Promise<void> {
  for (;;) {
    const stored = await readState(bus, id);
    if (!stored) throw new Error(`there is no ${id}`);
    // A worker may write it at the same time.
    if (await replaceState(bus, stored, { ...stored.record, ...change(stored.record) })) return;
  }
}
