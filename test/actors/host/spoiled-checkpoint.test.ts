/** A chart or a host that fails on what it finds in a task ends that task with the reason. None waits, or resists a cancel. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CrewSession } from '../../../actors/node/join.ts';
import type { StoredRecord } from '../../../bus/state/state-record.ts';
import { readState, replaceState } from '../../../bus/state/state-store.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import { never, statusWhere } from '../../support/watching.ts';

let crew: TestCrew;
let joined: CrewSession;
beforeAll(async () => {
  crew = await testCrew();
  joined = await crew.join();
  await crew.node(joined);
  crew.model.answer((call) => call.call('ask_operator', { question: 'Which?' }));
});
afterAll(() => crew.stop());

async function parked(): Promise<StoredRecord> {
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'ask', backend: 'main' });
  await statusWhere(joined.crew, id, ({ question }) => question !== null);
  for (;;) {
    const stored = (await readState(joined.bus, id))!;
    if (stored.record.phase === 'parked') return stored;
  }
}

const fields = [
  'messages',
  'calls',
  'steers',
  'question',
  'limits',
  'usage',
  'effects',
  'sources',
  'allowed',
  'answer',
  'partial',
  'step',
] as const;
const spoilt: readonly unknown[] = [null, 5, 'text', {}, [null]];
const cases = fields.flatMap((field) => spoilt.map((value) => [field, JSON.stringify(value), value] as const));

test.concurrent.each(cases)('a task whose %s became %s ends with a cancel', async (field, _, value) => {
  const stored = await parked();
  const { snapshot } = stored.record;
  const context = { ...(snapshot!.context as object), [field]: value };
  await replaceState(joined.bus, stored, { ...stored.record, snapshot: { ...snapshot!, context } });
  await joined.crew.steer(stored.record.id, { type: 'cancel' });
  const { outcome, failure } = await joined.crew.result(stored.record.id, never);
  expect(outcome).not.toBe('completed');
  if (outcome === 'failed') expect(failure?.code).toBe('machine-failed');
});
