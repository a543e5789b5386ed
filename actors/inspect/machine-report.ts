/** Answers the verb `machine`: a chart as JSON, and where a task is in it, by its last commit and its statuses. */
import type { Bus } from '../../bus/bus.ts';
import type { LiveMachine, MachineQuery, MachineReport } from '../../bus/inspect/machine-report.ts';
import { passedStates } from '../../bus/inspect/passed-states.ts';
import type { StateRecord } from '../../bus/state/state-record.ts';
import { readState } from '../../bus/state/state-store.ts';
import type { TaskId } from '../../bus/task-id.ts';
import { descend, pathOf, rootOf } from '../../machines/chart/chart.ts';
import { definitionOf } from '../../machines/chart/definition.ts';
import { activeStates, nextEvents } from '../../machines/chart/next-events.ts';
import type { Chart } from '../../machines/charts.ts';
import { CoxError, messageOf } from '../../platform/errors.ts';
import { shownJson } from '../../platform/shown-json.ts';
import { openCheckpoint } from '../host/checkpoint.ts';
import { chartNamed, chartOfType } from './charts.ts';

/** Bounds of a context that leaves the node. */
export const shownContext = { textChars: 2_000, entries: 40, totalChars: 24_000 } as const;

export interface ReportOptions {
  readonly bus: Bus;
  /** The chart of a task. Default: the one of its type. */
  readonly chartOf?: (spec: StateRecord['spec']) => Chart;
}

/** @throws CoxError `unknown-machine`, `unknown-task`. */
export async function machineReport({ bus, chartOf }: ReportOptions, query: MachineQuery): Promise<MachineReport> {
  const { machine, task } = query;
  if (task === undefined) {
    const named = chartNamed(machine ?? '');
    return { machine: named.machine.id, version: named.version ?? 1, definition: definition(named.machine, named.version) };
  }
  const stored = await readState(bus, task);
  if (!stored || stored.record.phase === 'unborn')
    throw new CoxError('unknown-task', `There is no task ${task}`, { hint: '`cox status` lists the tasks of this crew.' });
  const { record } = stored;
  const chart = chartOf?.(record.spec) ?? chartOfType(record.spec.type);
  return {
    machine: chart.machine.id,
    version: chart.version,
    definition: definition(chart.machine, chart.version),
    live: await liveMachine(bus, task, record, chart),
  };
}

const definition = (machine: Chart['machine'], version: number | null): Record<string, unknown> => ({
  ...definitionOf(machine, version ?? undefined),
});

async function liveMachine(bus: Bus, task: TaskId, record: StateRecord, chart: Chart): Promise<LiveMachine> {
  const root = rootOf(chart.machine);
  const paths = descend(root).map((node) => pathOf(root, node));
  // A status names the innermost state, and `acting` also for the brief states beside it.
  const path = (state: string) => paths.find((each) => each === state || each.endsWith(`.${state}`)) ?? state;
  const { states, leftOut } = await passedStates(bus, task, path);
  const { value, step, ...seen } = positionOf(record, chart);
  return {
    task,
    type: record.spec.type,
    at: record.last?.at ?? null,
    value,
    states: activeStates(chart.machine, value).map((node) => pathOf(root, node)),
    step,
    path: [...states],
    pathLeftOut: leftOut,
    ...seen,
  };
}

type Position = Pick<LiveMachine, 'value' | 'step' | 'next' | 'context' | 'unreadable'>;

function positionOf(record: StateRecord, chart: Chart): Position {
  const { snapshot, last, result } = record;
  // The record of a task that has ended may keep no checkpoint.
  if (!snapshot)
    return { value: result ? 'done' : 'idle', step: last?.step ?? 0, next: result ? [] : ofIdle(chart), context: {} };
  const opened = openCheckpoint(record, chart);
  if (opened.kind === 'stranded')
    return { value: last?.state ?? 'idle', step: last?.step ?? 0, next: [], context: {}, unreadable: opened.why };
  const { value, context } = opened.record.snapshot as { value: unknown; context: { step: number } };
  try {
    const next = nextEvents(chart.machine, { value, context }).map((event) => ({ ...event }));
    return { value, step: context.step, next, context: shownJson(context, shownContext) as Record<string, unknown> };
  } catch (cause) {
    return { value: last?.state ?? 'idle', step: last?.step ?? 0, next: [], context: {}, unreadable: messageOf(cause) };
  }
}

/** A task without a context: nobody has claimed it. */
const ofIdle = ({ machine }: Chart) => nextEvents(machine, { value: 'idle', context: {} }).map((event) => ({ ...event }));
