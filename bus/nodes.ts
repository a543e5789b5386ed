/** Lists the nodes of a crew. Every node answers the request `cox.api.nodes` for itself, and the client collects the answers. */
import { NoRespondersError } from '@nats-io/nats-core';
import type { Bus } from './bus.ts';
import { NodeReport } from './messages.ts';
import { parseMessage } from './parse-message.ts';
import { within } from './pause.ts';

/** Longest time to wait for answers, in ms. A node that takes longer is frozen or overloaded. */
const mostMs = 5_000;
/** After this long without another answer (ms), the list is taken to be complete. Nodes answer at once. */
const quietMs = 800;
/** On a slow machine the wait is longer: this many times as long as the first answer took. */
const quietTimes = 8;

/** Yields the reports of the nodes as they come; the caller may stop at any time. Messages that are not reports are left out. */
export async function* nodesOf({ nc, subjects }: Bus): AsyncGenerator<NodeReport> {
  const asked = performance.now();
  const how = { strategy: 'timer', maxWait: mostMs } as const;
  try {
    const answers = (await nc.requestMany(`${subjects.api()}.nodes`, '{}', how))[Symbol.asyncIterator]();
    let patienceMs: number | null = null;
    for (;;) {
      const next = await (patienceMs === null ? answers.next() : within(patienceMs, answers.next()));
      if (next === null || next.done) return;
      patienceMs ??= Math.max(quietMs, quietTimes * (performance.now() - asked));
      const report = parseMessage(NodeReport, next.value.data);
      if (report) yield report;
    }
  } catch (cause) {
    // The server reports at once that no node listens.
    if (!(cause instanceof NoRespondersError)) throw cause;
  }
}

/** The reports of all nodes, in the order in which the nodes started. */
export async function allNodes(bus: Bus): Promise<NodeReport[]> {
  const nodes: NodeReport[] = [];
  for await (const node of nodesOf(bus)) nodes.push(node);
  return nodes.sort((a, b) => (a.since < b.since ? -1 : 1));
}
