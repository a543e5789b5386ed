/**
 * Drains the node of a command: it gives back the tasks it holds and tells the operator which ones it waits for. A signal during
 * the drain stops the node at once. Other nodes then take over its tasks from their last commit, as after a crash, but the
 * connection to the bus is closed properly.
 */
import type { CrewSession } from '../actors/node/join.ts';
import type { Cli } from './cli.ts';
import type { HostedNode } from './hosted-node.ts';
import { heldText } from './render/nodes.ts';

/** Interval in ms at which a draining node lists the tasks that it still holds. */
const remindMs = 5_000;

export interface DrainOptions {
  readonly node: HostedNode;
  readonly joined: CrewSession;
  /** Milliseconds of drain before the operator is told about it for the first time. */
  readonly patienceMs: number;
}

/** @returns false if a signal stopped the node before it had given back all its tasks. */
export async function drainNode(cli: Cli, { node, joined, patienceMs }: DrainOptions): Promise<boolean> {
  const stopping = Promise.withResolvers<'stop'>();
  const release = cli.onSignal(() => stopping.resolve('stop'));
  const held = () => heldText(node.holding(), joined.bus.now());
  const tell = () => {
    const what = held();
    cli.out.note(
      `Draining.${what ? ` Each task is given back at its next step: ${what}.` : ''} A second signal stops the node at once.`,
    );
  };
  if (patienceMs === 0) tell();
  const first = patienceMs > 0 ? setTimeout(tell, patienceMs) : undefined;
  const reminder = setInterval(() => node.holding().length > 0 && cli.out.note(`Still held: ${held()}.`), remindMs);
  try {
    if ((await Promise.race([node.stop(), stopping.promise])) !== 'stop') return true;
    const what = held();
    cli.out.note(`Stopped at once.${what ? ` Taken over by other nodes: ${what}.` : ''}`);
    await joined.abandon();
    return false;
  } finally {
    clearTimeout(first);
    clearInterval(reminder);
    release();
  }
}
