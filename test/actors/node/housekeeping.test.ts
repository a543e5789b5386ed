import { afterEach, beforeEach, expect, test } from 'vitest';
import { Housekeeping } from '../../../actors/node/housekeeping.ts';
import type { CrewSession } from '../../../actors/node/join.ts';
import { readState } from '../../../bus/state/state-store.ts';
import type { Retention } from '../../../roster/schema.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import { never } from '../../support/watching.ts';

let crew: TestCrew;
let joined: CrewSession;
beforeEach(async () => {
  crew = await testCrew();
  joined = await crew.join();
});
afterEach(() => crew.stop());

function keep(retention: () => Retention, everyMs: number): Housekeeping {
  const housekeeping = new Housekeeping({
    bus: joined.bus,
    name: 'keeper',
    retention,
    revive: null,
    note: () => {},
    firstMs: 1,
    everyMs,
  });
  housekeeping.start();
  return housekeeping;
}

test('housekeeping purges finished trees by the retention that the roster has at that moment', async () => {
  await crew.node(joined);
  crew.model.answer((call) => call.reply('done'));
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'x' });
  await joined.crew.result(id, never);
  let looked = 0;
  let retention: Retention = { finishedAfterMs: 3_600_000, finishedBytes: null, streamBytes: null };
  const housekeeping = keep(() => {
    looked++;
    return retention;
  }, 20);
  while (looked < 3) await readState(joined.bus, id);
  expect(await readState(joined.bus, id)).not.toBeNull();
  retention = { finishedAfterMs: 0, finishedBytes: null, streamBytes: 1_000_000 };
  while (await readState(joined.bus, id));
  expect((await joined.bus.jsm.streams.info(joined.bus.subjects.logStream)).config.max_bytes).toBe(1_000_000);
  await housekeeping.stop();
  await housekeeping.stop();
});

test('housekeeping stops without waiting for a collection, and does not collect again', async () => {
  let looked = 0;
  const housekeeping = keep(() => {
    looked++;
    return { finishedAfterMs: 0, finishedBytes: null, streamBytes: null };
  }, 1);
  while (looked === 0) await readState(joined.bus, 'nobody.0');
  await housekeeping.stop();
  const before = looked;
  for (let n = 0; n < 20; n++) await readState(joined.bus, 'nobody.0');
  expect(looked).toBe(before);
});
