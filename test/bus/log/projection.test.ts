import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CrewSession } from '../../../actors/node/join.ts';
import { flush } from '../../../bus/log/projection.ts';
import { noUsage, type Result, TaskSpec } from '../../../bus/messages.ts';
import { messagesAfter } from '../../../bus/state/batch-get.ts';
import { newRecord, type StateRecord, withStatus } from '../../../bus/state/state-record.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';

let crew: TestCrew;
let joined: CrewSession;
beforeAll(async () => {
  crew = await testCrew();
  joined = await crew.join();
});
afterAll(() => crew.stop());

const at = '2026-01-01T00:00:00.000Z';

/** A task that has ended, and whose last `owed` statuses are not known to be on the log. */
function ended(id: string, owed: number): StateRecord {
  const result: Result = {
    ...{ id, type: 'echo', at, outcome: 'completed', output: 'x', failure: null, usage: noUsage, usageByBackend: {} },
    salvage: { findings: [], remaining: null, artifacts: [], steps: 1 },
  };
  const told = {
    at,
    state: 'done' as const,
    step: 1,
    backend: null,
    paused: false,
    question: null,
    receipts: [],
    usage: noUsage,
  };
  let record: StateRecord = newRecord(id, TaskSpec.parse({ type: 'echo', instruction: 'x' }), 'node', at);
  for (let n = 0; n < owed; n++) record = withStatus(record, { ...told, outcome: 'completed' });
  return { ...record, phase: 'done', result };
}

test.each([1, 2, 3])('a result follows the last of %i statuses that the log lacks', async (owed) => {
  const { bus } = joined;
  const { logStream } = bus.subjects;
  const id = `tree.${owed}`;
  await flush(bus, ended(id, owed));
  const [result] = await Array.fromAsync(messagesAfter(bus, logStream, bus.subjects.of(id, 'result'), 0));
  const statuses = await Array.fromAsync(messagesAfter(bus, logStream, bus.subjects.of(id, 'status'), 0));
  expect(statuses).toHaveLength(owed);
  expect(result!.seq).toBeGreaterThan(statuses.at(-1)!.seq);
});
