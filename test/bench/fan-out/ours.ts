/** A goal of N sub-tasks whose kind is code in place of a model, on one node with its supervisor and workers. */
import { defineKind } from '../../../actors/kinds/define-kind.ts';
import type { CrewSession } from '../../../actors/node/join.ts';
import type { CoxNode, NodeOptions } from '../../../actors/node/node.ts';
import type { TestCrew } from '../../support/crew.ts';
import { never } from '../../support/watching.ts';

const echo = defineKind({ name: 'echo', think: ({ instruction }) => instruction });

/** The node that does the work; `crew.stop()` stops it. */
export function echoNode(crew: TestCrew, joined: CrewSession, options: Partial<NodeOptions> = {}): Promise<CoxNode> {
  return crew.node(joined, {
    ...options,
    kinds: [echo],
    types: ['supervisor', 'echo'],
    slots: 10000,
    rosterYaml: 'supervision: { concurrency: 10000, max_tasks: 10000 }',
  });
}

/** Processor time of this process in microseconds: the node with its supervisor and workers, without the nats-server. */
const cpuUs = () => process.cpuUsage().user + process.cpuUsage().system;

/**
 * @returns Microseconds per sub-task: `us` until the answer is there, `cpu` of processor time. @throws Error when the answer is
 * wrong.
 */
export async function fanOut({ crew }: CrewSession, size: number): Promise<{ us: number; cpu: number }> {
  const tasks = Array.from({ length: size }, (_, i) => ({ key: `k${i}`, type: 'echo', instruction: `number ${i}` }));
  const [from, cpuFrom] = [performance.now(), cpuUs()];
  const plan = { tasks, reduce: { by: 'concat' as const } };
  const id = await crew.dispatch({ type: 'supervisor', instruction: 'bench', plan });
  const { outcome, output } = await crew.result(id, never);
  const tookUs = (performance.now() - from) * 1000;
  if (outcome !== 'completed' || !output?.includes(`number ${size - 1}`)) throw new Error(`${outcome}: ${output?.slice(0, 200)}`);
  return { us: tookUs / size, cpu: (cpuUs() - cpuFrom) / size };
}
