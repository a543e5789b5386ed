/** Who is in the crew: every node answers `cox.api.nodes` for itself, and whoever asks gathers the answers. */
import { NoRespondersError } from '@nats-io/nats-core';
import type { Bus } from './bus.ts';
import { NodeReport } from './messages.ts';
import { parseMessage } from './parse-message.ts';

/** A node that has not answered by then is frozen, or has no time for its tasks either. */
const firstMs = 2_000;
/** Nodes answer at once: after so long without another answer that was all. */
const quietMs = 800;

/** As they answer; whoever has heard enough stops reading. What is no report is left out. */
export async function* nodesOf({ nc, subjects }: Bus): AsyncGenerator<NodeReport> {
  const how = { strategy: 'stall', maxWait: firstMs, stall: quietMs } as const;
  try {
    for await (const message of await nc.requestMany(`${subjects.api()}.nodes`, '{}', how)) {
      const report = parseMessage(NodeReport, message.data);
      if (report) yield report;
    }
  } catch (cause) {
    // The server says at once that nobody listens.
    if (!(cause instanceof NoRespondersError)) throw cause;
  }
}

/** Longest in the crew first. */
export async function allNodes(bus: Bus): Promise<NodeReport[]> {
  const nodes: NodeReport[] = [];
  for await (const node of nodesOf(bus)) nodes.push(node);
  return nodes.sort((a, b) => (a.since < b.since ? -1 : 1));
}
