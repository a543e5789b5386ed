import { afterAll, beforeAll, expect, test } from 'vitest';
import { pause } from '../../bus/pause.ts';
import { type TestCrew, testCrew } from '../support/crew.ts';
import { finalReceipt } from '../support/watching.ts';

let crew: TestCrew;
beforeAll(async () => {
  crew = await testCrew();
});
afterAll(() => crew.stop());

/** Of the server's one thousand for a stream: one that is left behind is dropped only after five minutes. */
test('following a steer, or listing tasks, leaves no consumer behind', async () => {
  const joined = await crew.join();
  await crew.node(joined);
  const { bus, crew: client } = joined;
  const consumersOf = async (stream: string) => (await bus.jsm.streams.info(stream)).state.consumer_count;
  const streams = [bus.subjects.logStream, `KV_${bus.subjects.stateBucket}`];
  const count = () => Promise.all(streams.map(consumersOf));
  const before = await count();
  const id = await client.dispatch({ type: 'files', instruction: 'nothing', backend: 'main' });
  for (let i = 0; i < 5; i++) {
    const sent = await client.steer(id, { type: 'cancel' });
    expect((await finalReceipt(client, id, sent)).steer).toBe(sent.steer);
    await client.tasks();
  }
  // It goes a moment after it was used.
  while (String(await count()) !== String(before)) await pause(10);
});
