import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CrewSession } from '../../../actors/node/join.ts';
import { onNudge } from '../../../bus/queue/nudges.ts';
import { startWaker } from '../../../bus/queue/waker.ts';
import { readState } from '../../../bus/state/state-store.ts';
import { consumerNames } from '../../../bus/streams.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import { never } from '../../support/watching.ts';

let crew: TestCrew;
let joined: CrewSession;
beforeEach(async () => {
  crew = await testCrew();
  joined = await crew.join();
});
afterEach(() => crew.stop());

test('a client that knows that its steer is stored wakes a parked task, whatever the waker has before it', async () => {
  await crew.node(joined);
  const { bus } = joined;
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'x' });
  (await crew.model.next()).call('ask_operator', { question: 'Well?' });
  let record = (await readState(bus, id))!.record;
  while (record.phase !== 'parked') record = (await readState(bus, id))!.record;
  // As if the message were behind a flood, nothing comes to the waker.
  await bus.jsm.consumers.delete(bus.subjects.logStream, consumerNames.waker);
  await joined.crew.steer(id, { type: 'answer', question: record.last!.question!.id, text: 'go on' });
  (await crew.model.next()).reply('done');
  expect(await joined.crew.result(id, never)).toMatchObject({ outcome: 'completed' });
});

test('a waker on another node nudges the holder of a task whose copy of the steer was missed', async () => {
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'x' });
  const node = await crew.node(joined);
  await crew.model.next();
  await node.stop();
  // Nobody listens when the steer is published, as if its copy had come before the log had it.
  await joined.crew.steer(id, { type: 'steer', text: 'hurry' });
  const nudged = new Promise<string>((resolve) => {
    onNudge(joined.bus, resolve);
  });
  await joined.bus.nc.flush();
  const waker = await startWaker(joined.bus, { node: 'another', now: () => new Date().toISOString(), local: () => null });
  expect(await nudged).toBe(id);
  await waker.stop();
});
