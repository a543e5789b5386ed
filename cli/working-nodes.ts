import type { CrewSession } from '../actors/node/join.ts';

/** Whether a node of the crew works on this kind of task now. */
export async function someoneWorks({ bus }: CrewSession, type: string): Promise<boolean> {
  const { nodesOf } = await import('../bus/nodes.ts');
  for await (const { types, draining } of nodesOf(bus)) if (!draining && types.includes(type)) return true;
  return false;
}
