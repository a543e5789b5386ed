import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Joined } from '../../../actors/join.ts';
import { messagesAfter, recordsOf } from '../../../bus/state/many.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';

let crew: TestCrew;
let joined: Joined;
beforeAll(async () => {
  crew = await testCrew();
  joined = await crew.join();
});
afterAll(() => crew.stop());

test('of tasks that nobody has a record of there are none', async () => {
  expect(await recordsOf(joined.bus, ['none.1', 'none.2'], () => true)).toEqual(new Map());
});

test('what is purged while it is asked for is not waited for', async () => {
  const { bus } = joined;
  const { logStream } = bus.subjects;
  const subject = bus.subjects.of('gone.0', 'steering');
  for (let n = 0; n < 30; n++) {
    await joined.crew.steer('gone.0', { type: 'steer', text: `${n}` });
    const asked = messagesAfter(bus, logStream, subject, 0);
    await bus.jsm.streams.purge(logStream, { filter: subject });
    expect((await asked).length).toBeLessThan(2);
  }
});
