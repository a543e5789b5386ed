import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CrewSession } from '../../../actors/node/join.ts';
import { TaskSpec } from '../../../bus/messages.ts';
import { sweep } from '../../../bus/queue/sweeper.ts';
import { newRecord } from '../../../bus/state/state-record.ts';
import { createState, readState } from '../../../bus/state/state-store.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import { never } from '../../support/watching.ts';

let crew: TestCrew;
let joined: CrewSession;
beforeEach(async () => {
  crew = await testCrew();
  joined = await crew.join();
});
afterEach(() => crew.stop());
/** The clock that dates tasks: by another one, a task might be dated in the future. */
const now = () => joined.bus.now();
const inSeconds = (seconds: number) => () => new Date(now().getTime() + seconds * 1000);

test('the sweeper finds a task whose ticket was never stored, and it runs', async () => {
  const { bus } = joined;
  const spec = TaskSpec.parse({ type: 'reasoning', instruction: 'forgotten' });
  await createState(bus, newRecord('forget.0', spec, 'a dispatcher that died', inSeconds(-60)().toISOString()));
  const queued = await joined.crew.dispatch({ type: 'reasoning', instruction: 'queued as it should be' });
  expect(await sweep(bus, { now, leaseMs: 1_000, published: new Set(), graceMs: 10_000 })).toEqual(['forget.0']);
  crew.model.answer((call) => call.reply('ok'));
  await crew.node(joined);
  expect((await joined.crew.result('forget.0', never)).outcome).toBe('completed');
  expect((await joined.crew.result(queued, never)).outcome).toBe('completed');
});

test('a held task whose ticket is gone from the queue is taken from its worker and runs elsewhere', async () => {
  const { bus } = joined;
  const first = await crew.node(joined, { leaseMs: 1_000 });
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'held' });
  const call = await crew.model.next();
  const stored = await readState(bus, id);
  await bus.jsm.streams.deleteMessage(bus.subjects.workStream, stored!.record.ticketSeq);
  expect(await sweep(bus, { now, leaseMs: 1_000, published: new Set(), graceMs: 0 })).toEqual([id]);
  const again = await crew.model.next();
  call.reply('from the one that was fenced');
  again.reply('from the one that holds it');
  expect((await joined.crew.result(id, never)).output).toBe('from the one that holds it');
  expect((await readState(bus, id))!.record.epoch).toBeGreaterThan(stored!.record.epoch);
  await first.stop();
});

test('the sweeper leaves queued tasks alone', async () => {
  for (let i = 0; i < 5; i++) await joined.crew.dispatch({ type: 'reasoning', instruction: `waiting ${i}` });
  expect(await sweep(joined.bus, { now: inSeconds(60), leaseMs: 1_000, published: new Set(), graceMs: 10_000 })).toEqual([]);
});
