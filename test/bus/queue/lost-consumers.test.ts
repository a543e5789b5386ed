import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CrewSession } from '../../../actors/node/join.ts';
import { readState } from '../../../bus/state/state-store.ts';
import { consumerNames } from '../../../bus/streams.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import { workerOf } from '../../support/versioned-worker.ts';
import { never } from '../../support/watching.ts';

let crew: TestCrew;
let joined: CrewSession;
beforeEach(async () => {
  crew = await testCrew();
  joined = await crew.join();
});
afterEach(() => crew.stop());

test('consumers that are deleted under a running node are made again, and its tasks go on', async () => {
  const { bus } = joined;
  const { workStream, logStream, timerStream } = bus.subjects;
  const worker = await workerOf(crew, joined, { sweepMs: 100 });
  const parked = await joined.crew.dispatch({ type: 'reasoning', instruction: 'Wait' });
  await crew.model.next();
  await joined.crew.steer(parked, { type: 'pause' });
  while ((await readState(bus, parked))?.record.phase !== 'parked');
  await bus.jsm.consumers.delete(workStream, consumerNames.tickets('reasoning', 'pending'));
  await bus.jsm.consumers.delete(workStream, consumerNames.tickets('reasoning', 'wake'));
  await bus.jsm.consumers.delete(logStream, consumerNames.waker);
  await bus.jsm.consumers.delete(timerStream, consumerNames.timers);
  crew.model.answer((call) => call.reply('done'));
  await joined.crew.steer(parked, { type: 'resume' });
  const fresh = await joined.crew.dispatch({ type: 'reasoning', instruction: 'Begin' });
  for (const id of [parked, fresh]) expect(await joined.crew.result(id, never)).toMatchObject({ outcome: 'completed' });
  expect(await bus.jsm.consumers.info(timerStream, consumerNames.timers)).toMatchObject({ name: consumerNames.timers });
  await worker.drain();
});
