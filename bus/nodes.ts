/** Who is in the crew: every node answers `cox.api.nodes` for itself, and whoever asks gathers the answers. */
import { NoRespondersError } from '@nats-io/nats-core';
import type { Bus } from './bus.ts';
import { NodeReport } from './messages.ts';
import { parseMessage } from './parse-message.ts';
import { pause } from './pause.ts';

/** A node that has not answered by then is frozen, or has no time for its tasks either. */
const mostMs = 5_000;
/** Nodes answer at once: after so long without another answer that was all … */
const quietMs = 800;
/** … on a machine that is quick: where the first took its time, so many times that. */
const quietTimes = 8;

/** As they answer; whoever has heard enough stops reading. What is no report is left out. */
export async function* nodesOf({ nc, subjects }: Bus): AsyncGenerator<NodeReport> {
  const asked = performance.now();
  const how = { strategy: 'timer', maxWait: mostMs } as const;
  try {
    const answers = (await nc.requestMany(`${subjects.api()}.nodes`, '{}', how))[Symbol.asyncIterator]();
    let patienceMs: number | null = null;
    for (;;) {
      const next = await within(patienceMs, answers.next());
      if (next === null || next.done) return;
      patienceMs ??= Math.max(quietMs, quietTimes * (performance.now() - asked));
      const report = parseMessage(NodeReport, next.value.data);
      if (report) yield report;
    }
  } catch (cause) {
    // The server says at once that nobody listens.
    if (!(cause instanceof NoRespondersError)) throw cause;
  }
}

/** Null when it does not come in time. */
async function within<T>(ms: number | null, coming: Promise<T>): Promise<T | null> {
  if (ms === null) return coming;
  const late = new AbortController();
  const tooLate = pause(ms, late.signal).then(
    () => null,
    () => null,
  );
  return Promise.race([coming, tooLate]).finally(() => late.abort());
}

/** Longest in the crew first. */
export async function allNodes(bus: Bus): Promise<NodeReport[]> {
  const nodes: NodeReport[] = [];
  for await (const node of nodesOf(bus)) nodes.push(node);
  return nodes.sort((a, b) => (a.since < b.since ? -1 : 1));
}
