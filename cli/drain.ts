/**
 * How a node leaves: it gives back what it holds, says what it waits for, and a signal meanwhile stops it at once. That is what a crash
 * is: other nodes take over what was held, from its last commit, and the bus is left in order.
 */
import type { CrewSession } from '../actors/node/join.ts';
import type { Cli } from './cli.ts';
import type { HostedNode } from './host.ts';
import { heldText } from './render/nodes.ts';

/** How often a node that drains says what it waits for. */
const remindMs = 5_000;

export interface DrainOptions {
  readonly node: HostedNode;
  readonly joined: CrewSession;
  /** Milliseconds after which it says the first time what it waits for. */
  readonly patienceMs: number;
}

/** @returns false where it was stopped before all was given back. */
export async function drainNode(cli: Cli, { node, joined, patienceMs }: DrainOptions): Promise<boolean> {
  const stopping = Promise.withResolvers<'stop'>();
  const release = cli.onSignal(() => stopping.resolve('stop'));
  const held = () => heldText(node.holding(), joined.bus.now());
  const tell = () => {
    const what = held();
    cli.out.note(
      `Draining.${what ? ` What it holds goes back at its next step: ${what}.` : ''} A second signal stops it at once.`,
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
