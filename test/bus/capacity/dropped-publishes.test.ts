/** Plain steers that the log does not have are reported as lost, and no others. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CrewSession } from '../../../actors/node/join.ts';
import { onDroppedSteer } from '../../../bus/capacity/dropped-publishes.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';

let crew: TestCrew;
let joined: CrewSession;
beforeEach(async () => {
  crew = await testCrew();
  joined = await crew.join();
});
afterEach(() => crew.stop());

test('of steers in quick succession only those that did not fit the log are reported, whatever followed them', async () => {
  const { nc, jsm, subjects } = joined.bus;
  const told: string[] = [];
  const both = Promise.withResolvers<void>();
  const watching = onDroppedSteer(joined.bus, (id) => {
    told.push(id);
    if (told.includes('lost.0')) both.resolve();
  });
  const say = (id: string, text: string) => nc.publish(subjects.of(id, 'steering'), text);
  say('kept.0', 'use my work email');
  say('kept.0', 'and sign it');
  const isStored = async () => (await jsm.streams.info(subjects.logStream)).state.messages === 2;
  while (!(await isStored()));
  const { bytes } = (await jsm.streams.info(subjects.logStream)).state;
  await jsm.streams.update(subjects.logStream, { max_bytes: bytes });
  say('lost.0', 'use my work email');
  await both.promise;
  expect(told).toEqual(['lost.0']);
  watching.stop();
});
