import type { CrewSession } from '../actors/node/join.ts';
import { pause } from '../bus/pause.ts';

/** Whether a node of the crew works on this kind of task now. */
export async function someoneWorks({ bus }: CrewSession, type: string): Promise<boolean> {
  const { nodesOf } = await import('../bus/nodes.ts');
  for await (const { types, draining } of nodesOf(bus)) if (!draining && types.includes(type)) return true;
  return false;
}

/** Milliseconds between two looks for a node while a command waits. */
const lookMs = 3_000;

/** Resolves when twice in a row no node has answered: there is nobody who could take a message up. @throws AbortError. */
export async function untilNobodyWorks({ bus }: Pick<CrewSession, 'bus'>, signal: AbortSignal): Promise<void> {
  const { nodesOf } = await import('../bus/nodes.ts');
  const isThere = async () => {
    for await (const { draining } of nodesOf(bus)) if (!draining) return true;
    return false;
  };
  for (let missed = 0; missed < 2; ) {
    await pause(lookMs, signal);
    // A bus that does not answer is told of by whoever reads it.
    const found = await isThere().catch(() => true);
    missed = found ? 0 : missed + 1;
  }
}
