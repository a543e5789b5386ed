/** The charts of the house by name, with the direction in which each is drawn. */
import type { AnyStateMachine } from 'xstate';
import { type Chart, subAgentChart, supervisorChart } from '../../machines/charts.ts';
import { primary } from '../../machines/primary.ts';
import { subAgentVersion } from '../../machines/sub-agent.ts';
import { supervisorVersion } from '../../machines/supervisor.ts';
import { CoxError } from '../../platform/errors.ts';

export interface NamedChart {
  readonly machine: AnyStateMachine;
  /** Of its checkpoints; null for the primary, which is never restored. */
  readonly version: number | null;
  readonly file: string;
  readonly does: string;
  /** The direction in which its picture is narrower: a page shows about 840 pixels without scaling it down. */
  readonly direction: 'down' | 'right';
}

export const charts: readonly NamedChart[] = [
  {
    machine: subAgentChart.machine,
    version: subAgentVersion,
    file: 'machines/sub-agent.ts',
    does: 'one task of an agent: think, act, ask, and be steered',
    direction: 'down',
  },
  {
    machine: supervisorChart(null).machine,
    version: supervisorVersion,
    file: 'machines/supervisor.ts',
    does: 'a goal: plan, start sub-tasks, gather, put their results together',
    direction: 'right',
  },
  {
    machine: primary,
    version: null,
    file: 'machines/primary.ts',
    does: 'the primary agent that an operator talks to',
    direction: 'down',
  },
];

/** @throws CoxError `unknown-machine`. */
export function chartNamed(name: string): NamedChart {
  const found = charts.find(({ machine }) => machine.id === name);
  if (found) return found;
  throw new CoxError('unknown-machine', `There is no chart ${name}`, {
    hint: `The charts are ${charts.map(({ machine }) => machine.id).join(', ')}.`,
  });
}

/** The chart of a task by its type. A node that runs such tasks may know more about its migrations. */
export const chartOfType = (type: string): Chart => (type === 'supervisor' ? supervisorChart(null) : subAgentChart);
