/** Reads a chart and where a task is in it: from the streams where this client may, else from a node. */
import { machineReport } from '../../actors/inspect/machine-report.ts';
import type { CrewSession } from '../../actors/node/join.ts';
import { askNode } from '../../bus/ask-node.ts';
import { MachineReport } from '../../bus/inspect/machine-report.ts';
import type { TaskId } from '../../bus/task-id.ts';
import { mayHost } from '../../bus/team/chores.ts';
import { CoxError } from '../../platform/errors.ts';

/** @throws CoxError `unknown-task`, `no-node`, `bad-reply`. */
export async function machineOf({ bus }: CrewSession, task: TaskId): Promise<MachineReport> {
  if (mayHost(bus)) return machineReport({ bus }, { task });
  const reply = MachineReport.safeParse(await askNode(bus, 'machine', { task }));
  if (reply.success) return reply.data;
  throw new CoxError('bad-reply', `A node of another version has answered for ${task}`, {
    hint: 'Update the node, or this cox.',
  });
}
