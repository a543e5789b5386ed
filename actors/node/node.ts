/**
 * A node: a worker, its backends and the micro service. `cox`, `cox run`, `cox up` and `cox worker` host one in their process.
 */

import { startService } from '../../bus/api-service.ts';
import { Artifacts } from '../../bus/artifacts/artifacts.ts';
import type { Bus } from '../../bus/bus.ts';
import { limitStreams } from '../../bus/capacity/stream-limits.ts';
import type { HeldTask, NodeReport } from '../../bus/messages.ts';
import { replicate } from '../../bus/replicas.ts';
import { doesChores } from '../../bus/team/chores.ts';
import type { Progress } from '../../platform/asset.ts';
import { messageOf } from '../../platform/errors.ts';
import { otelSettings } from '../../platform/otel-env.ts';
import { Backends } from '../../roster/backends.ts';
import type { RosterSource } from '../../roster/find-roster.ts';
import type { MenuEntry } from '../../roster/menu.ts';
import { referencePrice } from '../../roster/price.ts';
import type { Roster } from '../../roster/schema.ts';
import { Inspection } from '../inspect/inspection.ts';
import { machineReport } from '../inspect/machine-report.ts';
import type { Kind } from '../kinds/kind.ts';
import type { Primary } from '../primary/events.ts';
import { openPrimary } from '../primary/primary.ts';
import { Pictures } from '../sub-agent/pictures.ts';
import { Housekeeping } from './housekeeping.ts';
import type { CrewSession } from './join.ts';
import { nodeKinds } from './node-kinds.ts';
import { checkedKinds, checkOptions, harmless } from './node-options.ts';
import { nodeReport } from './node-report.ts';
import { rebuilder } from './rebuild.ts';
import { rolesOf } from './roles.ts';
import { rosterReport } from './roster-report.ts';
import { workspaceOf } from './task-workspace.ts';
import { Worker } from './worker.ts';

export interface NodeOptions {
  readonly joined: CrewSession;
  /** `onChange` is there if the roster may change while the node runs; it returns a function that removes the listener. */
  readonly roster: { current(): Roster; onChange?(listener: () => void): () => void; readonly source?: RosterSource };
  /** Absolute folder that file tools are confined to, for tasks that name none. */
  readonly workspace: string;
  /** Task types to work on. Default: `supervisor` and all kinds, also those that a changed roster adds. */
  readonly types?: readonly string[];
  /** The most tasks of one type that run at once. Default: 8. */
  readonly slots?: number;
  /** Kinds defined in code, in addition to the roster's. */
  readonly kinds?: readonly Kind[];
  /** Shows a remark to the operator at this node, for instance that the bus is full. Default: nothing is shown. */
  readonly note?: (text: string) => void;
  /** Called while a model is downloaded. */
  readonly onProgress: (progress: Progress) => void;
  /** Length of a lease in milliseconds. Default: 10 s. */
  readonly leaseMs?: number;
  /** Milliseconds for which a supervisor that only waits stays in memory. Default: 1 s. */
  readonly quietMs?: number;
  /** How long a goal that ends waits for its sub-tasks to stop, in milliseconds. Default: 30 s. */
  readonly drainMs?: number;
  /** Whether the node keeps figures for `metrics()`. Default: only if an exporter of OpenTelemetry is configured. */
  readonly metrics?: boolean;
}

export interface CoxNode {
  readonly name: string;
  readonly backends: Backends;
  menu(): MenuEntry[];
  /** The agent that the operator talks to. It calls no backend before the first message. */
  readonly primary: Primary;
  /** The tasks that the node holds now, longest held first. */
  holding(): HeldTask[];
  /** The node's answer to `cox nodes`. */
  report(): NodeReport;
  /** Figures in the text format of Prometheus; null if the node keeps none. */
  metrics(): string | null;
  /** Takes no new tickets, and releases the tasks that the node holds. */
  drain(): Promise<void>;
  /** Drains, then stops the backends. Idempotent. */
  stop(): Promise<void>;
}

/**
 * @throws CoxError `bad-options`, `bad-kind`, `roster-unknown-tool`: nothing was started; `role-denied` in a crew with roles, if
 * this member may host no tasks, or not those of a type that is named.
 */
export async function startNode(options: NodeOptions): Promise<CoxNode> {
  checkOptions(options);
  const { joined, roster, workspace, slots = 8, drainMs = 30_000 } = options;
  const { bus, crew, folders, log, env, name } = joined;
  const note = harmless(options.note ?? (() => {}), log);
  const onProgress = harmless(options.onProgress, log);
  const { now } = bus;
  const current = () => roster.current();
  const hosted = hostedTypes(bus, options.types);
  // A page for each task that runs here, and for some that wait.
  const maxContexts = slots + 4;
  const defined = checkedKinds(options.kinds ?? []);
  const { kinds, browsers, reader, web } = nodeKinds({ joined, roster: current, defined, maxContexts, onProgress });
  kinds.check();
  if (doesChores(bus)) {
    await replicate(bus, current().bus.replicas);
    await limitStreams(bus, current().retention.streamBytes);
  }
  const housekeeping = new Housekeeping({
    bus,
    name,
    retention: () => current().retention,
    revive: joined.revive,
    note,
  });
  const { backpressure } = housekeeping;
  const backends = new Backends({ roster: current, folders, log, onProgress, env });
  const watch = await telemetryOf(options, { note, onProgress });
  // For calls of no task, such as those of the primary agent.
  const seen = watch?.telemetry.backends(backends) ?? backends;
  const types = () => hosted(['supervisor', ...kinds.names()]);
  const since = now();
  const folderOf = (asked: string | null) => workspaceOf(asked, workspace, joined.server.embedded).folder;
  const roles = rolesOf({ bus: { ...bus, backpressure }, backends, roster: current, kinds, reader, folderOf, drainMs });
  const inspection = new Inspection(bus, name);
  const worker = await Worker.start({
    bus,
    inspection,
    backpressure,
    name,
    types: types(),
    slots,
    now,
    onRunEnd: (id, end) => {
      if (end === 'done' || end === 'orphaned') void browsers.ended(id);
      else if (end === 'released') void browsers.left(id);
      // A parked task may go on here, and a call of a task that was lost may still be running.
      else browsers.parked(id);
    },
    observer: watch?.telemetry,
    ...(options.leaseMs !== undefined && { leaseMs: options.leaseMs }),
    ...(options.quietMs !== undefined && { quietMs: options.quietMs }),
    ...roles,
  });
  const unfollow = roster.onChange?.(() => {
    const unused = problemOf(() => kinds.check());
    if (unused) note(`The changed roster is wrong: ${unused}`);
    worker.workOn(types()).catch((err) => log.error({ err }, 'the worker could not take up the kinds of the changed roster'));
  });
  housekeeping.start();
  let draining = false;
  const primary = openPrimary({
    crew,
    backends: seen,
    roster: current,
    kinds: () => kinds.names(),
    // On a server that others use too, the folder means nothing to the node that takes the task.
    workspace: joined.server.embedded ? workspace : null,
    log,
  });
  const rosterFile = roster.source && roster.source.by !== 'shipped' ? roster.source.file : null;
  const report = () =>
    nodeReport({
      name,
      roster: rosterFile,
      since,
      types: worker.types,
      slots,
      draining,
      hearsTalk: primary.hearsTalk,
      holding: worker.holding,
    });
  const pictures = new Pictures(new Artifacts(bus), reader);
  const goals = { bus, backends, kinds: () => kinds.list() };
  const rebuild = rebuilder({ kinds, backends, pictures, folderOf }, goals);
  const service = await startService(bus, {
    ...{ crew, node: name, report, rebuild },
    menu: () => backends.menu(),
    reference: () => referencePrice(current()),
    roster: () => rosterReport({ node: name, file: rosterFile, roster: current(), menu: backends.menu() }),
    machine: (query) => machineReport({ bus, chartOf: roles.chartOf }, query),
  });
  let stopping: Promise<void> | null = null;
  const drain = async () => {
    draining = true;
    unfollow?.();
    await primary.stop();
    // Before the worker drains: a task whose write waits on a full bus cannot be released by a commit.
    await housekeeping.stop();
    await worker.drain();
    inspection.stop();
    await browsers.close();
    // The service stops last, so that clients can ask until then which tasks the node still holds.
    await service.stop();
    await watch?.telemetry.stop();
  };
  return {
    name,
    backends: seen,
    menu: () => backends.menu(),
    primary,
    holding: () => worker.holding,
    report,
    metrics: () => watch?.exposition(watch.telemetry.figures, report(), backends.menu()) ?? null,
    drain,
    stop: () => {
      stopping ??= drain()
        .then(() => web.close())
        .then(() => backends.stop());
      return stopping;
    },
  };
}

/** Spans and figures, where they are wanted. Nothing of it is loaded otherwise. */
async function telemetryOf(
  { joined, metrics = false }: NodeOptions,
  told: { readonly note: (text: string) => void; readonly onProgress: (progress: Progress) => void },
) {
  const { bus, folders, env, log, name: node } = joined;
  const settings = otelSettings(env);
  if (!settings && !metrics) return null;
  const [{ Telemetry }, { exposition }] = await Promise.all([
    import('../tracing/telemetry.ts'),
    import('../tracing/exposition.ts'),
  ]);
  const { namespace } = bus.subjects;
  return { telemetry: new Telemetry({ settings, namespace, node, now: bus.now, folders, env, log, ...told }), exposition };
}

/** @returns which of all types a node works on: those that are named, or all that the roles of its member allow. */
function hostedTypes({ team }: Bus, named: readonly string[] | undefined): (all: readonly string[]) => readonly string[] {
  const denied = named?.find((type) => team && !team.hosts(type));
  if (team && (!team.isHosting || denied))
    throw team.denied(
      denied ? `host tasks of the type ${denied}` : 'host tasks',
      'It takes the role worker, and for goals the role supervisor.',
    );
  return (all) => named ?? all.filter((type) => team?.hosts(type) ?? true);
}

function problemOf(check: () => void): string | null {
  try {
    check();
    return null;
  } catch (error) {
    return messageOf(error);
  }
}
