/** The answer of a node to `cox nodes`. */
import { hostname } from 'node:os';
import process from 'node:process';
import type { HeldTask, NodeReport } from '../../bus/messages.ts';
import { version } from '../../platform/version.ts';

/** The most tasks that a report lists; `cox status` lists all tasks. */
const maxTasks = 500;

export interface Reported {
  readonly name: string;
  /** Path of the roster file; null: the shipped roster, or none. */
  readonly roster: string | null;
  readonly since: Date;
  readonly types: readonly string[];
  readonly slots: number;
  readonly draining: boolean;
  readonly hearsTalk: boolean;
  /** Longest held first. */
  readonly holding: readonly HeldTask[];
}

export const nodeReport = ({ name, roster, since, types, slots, draining, hearsTalk, holding }: Reported): NodeReport => ({
  name,
  host: hostname(),
  pid: process.pid,
  version: version(),
  roster,
  since: since.toISOString(),
  types: [...types],
  slots,
  draining,
  ...(hearsTalk && { hearsTalk: true as const }),
  held: holding.length,
  tasks: holding.slice(0, maxTasks),
});
