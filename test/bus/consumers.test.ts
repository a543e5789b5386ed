import { afterAll, beforeAll, expect, test } from 'vitest';
import { pause } from '../../bus/pause.ts';
import { type TestCrew, testCrew } from '../support/crew.ts';
import { finalReceipt } from '../support/watching.ts';

let crew: TestCrew;
beforeAll(async () => {
  crew = await testCrew();
});
afterAll(() => crew.stop());

/** A stream may have 1,000 consumers on a server, and an abandoned one is dropped only after five minutes. */
test('steers that are followed and lists of tasks leave no consumer behind', async () => {
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
  // A consumer goes a moment after its use.
  while (String(await count()) !== String(before)) await pause(10);
});
