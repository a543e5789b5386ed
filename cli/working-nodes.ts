import type { CrewSession } from '../actors/node/join.ts';
import { answered } from '../bus/away.ts';
import { pause } from '../bus/pause.ts';

/** Whether a node of the crew works on this kind of task now. */
export async function someoneWorks({ bus }: Pick<CrewSession, 'bus'>, type: string): Promise<boolean> {
  const { nodesOf } = await import('../bus/nodes.ts');
  for await (const { types, draining } of nodesOf(bus)) if (!draining && types.includes(type)) return true;
  return false;
}

/** Milliseconds between two looks for a node while a command waits. */
const lookMs = 3_000;

/**
 * Resolves when twice in a row no node that works on this kind of task has answered, while the bus has: there is nobody who could
 * take a message up. @throws AbortError.
 */
export async function untilNobodyWorks({ bus }: Pick<CrewSession, 'bus'>, type: string, signal: AbortSignal): Promise<void> {
  const isThere = async () => {
    if (await someoneWorks({ bus }, type)) return true;
    // Without a connection nobody answers either. A bus that stays away is told of by whoever reads it.
    await answered(bus.nc.rtt(), lookMs);
    return false;
  };
  for (let missed = 0; missed < 2; ) {
    await pause(lookMs, signal);
    const found = await isThere().catch(() => true);
    missed = found ? 0 : missed + 1;
  }
}
