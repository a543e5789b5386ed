/** A worker dies around the artifact that a call makes. The call runs again, and the first artifact that has a head stays. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CrewSession } from '../../actors/node/join.ts';
import { Artifacts } from '../../bus/artifacts/artifacts.ts';
import type { TaskId } from '../../bus/task-id.ts';
import { type TestCrew, testCrew } from '../support/crew.ts';
import { never } from '../support/watching.ts';
import { Nodes } from './nodes.ts';
import { Outside } from './outside.ts';

let crew: TestCrew;
let joined: CrewSession;
let outside: Outside;
let nodes: Nodes;
beforeEach(async () => {
  crew = await testCrew();
  joined = await crew.join();
  outside = await Outside.start();
  nodes = new Nodes(crew, outside);
});
afterEach(async () => {
  await nodes.stop();
  await outside.stop();
  await crew.stop();
});

const made = async (id: TaskId) => Buffer.from((await new Artifacts(joined.bus).readMade(`${id}/s1-0/made-0`)).bytes).toString();
const dispatch = () => joined.crew.dispatch({ type: 'camera', instruction: 'take it' });

test.each(
  (['look', 'shoot'] as const).flatMap((tool) =>
    [
      ['artifact:before#1', 'second'],
      ['artifact:after#1', 'second'],
      ['artifact:after#2', 'first'],
      ['tool:after#1', 'first'],
    ].map(([crashAt = '', node = '']) => [tool, crashAt, node] as const),
  ),
)('where a worker dies in a call of %s at %s, the artifact is that of the %s', async (tool, crashAt, node) => {
  crew.model.answer((call) => {
    if (call.texts('tool').length > 0) call.reply(call.texts('tool').join());
    else call.call(tool, { of: 'the house' });
  });
  const first = await nodes.start('first', { COX_CRASH_AT: crashAt });
  const id = await dispatch();
  await first.gone;
  await nodes.start('second');
  const { output, salvage } = await joined.crew.result(id, never);
  expect(output).toBe(`a picture of the house is ${id}/s1-0/made-0`);
  expect(salvage.artifacts).toEqual([`${id}/s1-0/made-0`]);
  expect(await made(id)).toBe(`the house, by ${node}`);
});

test('what a call that no commit names would store is not found by the call that is made in its place', async () => {
  const first = await nodes.start('first', { COX_CRASH_AT: 'state:before#1' });
  const id = await joined.crew.dispatch({ type: 'guide', instruction: 'take it' });
  await first.gone;
  await nodes.start('second');
  expect((await joined.crew.result(id, never)).salvage.artifacts).toEqual([`${id}/s1-0/made-0`]);
  expect(await made(id)).toBe('what second sees, by second');
});
