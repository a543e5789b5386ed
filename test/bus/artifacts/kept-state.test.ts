/** The last state of a tool of a task, on a real server. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CrewSession } from '../../../actors/node/join.ts';
import { Artifacts } from '../../../bus/artifacts/artifacts.ts';
import { KeptStates } from '../../../bus/artifacts/kept-state.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';

let crew: TestCrew;
let joined: CrewSession;
let states: KeptStates;
beforeEach(async () => {
  crew = await testCrew();
  joined = await crew.join();
  states = new KeptStates(joined.bus, 'browser');
});
afterEach(() => crew.stop());

test('only the last state stays, each tool and task apart', async () => {
  expect(await states.read('k3xq.1')).toBeNull();
  const first = await states.write('k3xq.1', 'one', 0);
  await states.write('k3xq.1', 'two', first!);
  await states.write('k3xq.2', 'other', 0);
  expect((await states.read('k3xq.1'))?.text).toBe('two');
  expect(await new KeptStates(joined.bus, 'shell').read('k3xq.1')).toBeNull();
  const { state } = await joined.bus.jsm.streams.info(joined.bus.subjects.artifactStream);
  expect(state.messages).toBe(2);
});

test('a writer that does not know the last state writes nothing', async () => {
  const first = await states.write('k3xq.1', 'one', 0);
  const second = await states.write('k3xq.1', 'by another node', first!);
  expect(second).toBeGreaterThan(first!);
  expect(await states.write('k3xq.1', 'late', first!)).toBeNull();
  expect(await states.write('k3xq.1', 'unknowing', 0)).toBeNull();
  expect((await states.read('k3xq.1'))?.text).toBe('by another node');
});

test('it is no artifact: it is neither listed nor handed out', async () => {
  await states.write('k3xq.1', 'secret', 0);
  const artifacts = new Artifacts(joined.bus);
  expect(await artifacts.sizesOf('k3xq.1')).toEqual(new Map());
  await expect(artifacts.read('k3xq.1/browser/kept')).rejects.toMatchObject({ code: 'artifact-gone' });
});

test('a stream of an earlier version gets the limit of one message for each subject', async () => {
  await states.write('k3xq.1', 'one', 0);
  const { jsm, subjects } = joined.bus;
  await jsm.streams.update(subjects.artifactStream, { max_msgs_per_subject: -1 });
  await new KeptStates(joined.bus, 'browser').write('k3xq.2', 'one', 0);
  expect((await jsm.streams.info(subjects.artifactStream)).config.max_msgs_per_subject).toBe(1);
});
