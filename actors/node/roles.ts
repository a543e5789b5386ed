/** Chooses the chart and the role of a task on this node, by the type of the task. */
import { Artifacts } from '../../bus/artifacts/artifacts.ts';
import type { Bus } from '../../bus/bus.ts';
import { subAgentChart, supervisorChart } from '../../machines/charts.ts';
import { CoxError } from '../../platform/errors.ts';
import type { Backends } from '../../roster/backends.ts';
import type { Roster } from '../../roster/schema.ts';
import type { Kind } from '../kinds/kind.ts';
import type { Kinds } from '../kinds/kinds.ts';
import { undoKind } from '../kinds/undo.ts';
import { Pictures } from '../sub-agent/pictures.ts';
import { subAgentRole } from '../sub-agent/role.ts';
import { budgetOf, supervisorRole } from '../supervisor/role.ts';
import type { Reader } from '../tools/vision/reader.ts';
import type { WorkerOptions } from './worker.ts';

export interface RolesOptions {
  readonly bus: Bus;
  readonly backends: Backends;
  /** The present roster. */
  readonly roster: () => Roster;
  readonly kinds: Kinds;
  /** Decodes pictures that are too large for a backend. */
  readonly reader: Reader;
  /**
   * The folder that the file tools of a task are confined to.
   * @param asked the folder that the task names, or null.
   * @throws CoxError `workspace-refused`.
   */
  readonly folderOf: (asked: string | null) => string;
  /** How long a goal that ends waits for its sub-tasks to stop, in ms. */
  readonly drainMs: number;
}

export function rolesOf(options: RolesOptions): Pick<WorkerOptions, 'chartOf' | 'roleOf'> {
  const { bus, roster, kinds, reader, folderOf, drainMs } = options;
  const { now } = bus;
  const artifacts = new Artifacts(bus);
  const pictures = new Pictures(artifacts, reader);
  return {
    chartOf: (spec) => (spec.type === 'supervisor' ? supervisorChart(budgetOf(spec, roster())) : subAgentChart),
    roleOf: (spec, host) => {
      const workspace = () => folderOf(spec.workspace);
      const { observer } = host;
      const backends = observer ? observer.backends(options.backends) : options.backends;
      const seen = (kind: Kind): Kind => (observer ? { ...kind, tools: kind.tools.map((tool) => observer.tool(tool)) } : kind);
      if (spec.type === 'supervisor')
        return supervisorRole(host, { bus, artifacts, backends, roster, kinds: () => kinds.list(), workspace, now, drainMs });
      if (spec.undo)
        return subAgentRole(host, {
          kind: seen(undoKind(artifacts, spec.undo)),
          backends,
          gated: [],
          allowed: [],
          workspace: workspace(),
          artifacts,
          pictures,
          now,
        });
      const kind = kinds.get(spec.type);
      if (!kind)
        throw new CoxError('unknown-kind', `The roster has no kind ${spec.type}`, {
          hint: 'Add it under `agents`, or start a worker that knows it.',
        });
      const { gated, allowed } = roster().tools;
      return subAgentRole(host, { kind: seen(kind), backends, gated, allowed, workspace: workspace(), artifacts, pictures, now });
    },
  };
}
