/** A worker process freezes in the middle of a call that writes, and thaws when another worker has its task (docs/adr/0016). */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CrewSession } from '../../actors/node/join.ts';
import { type TestCrew, testCrew } from '../support/crew.ts';
import { never, statusWhere } from '../support/watching.ts';
import { audit, bookkeeper } from './books.ts';
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

test('the outcome that a thawed worker posts answers the question, so nobody has to look whether the call happened', async () => {
  crew.model.answer(bookkeeper);
  const frozen = await nodes.start('frozen');
  const id = await joined.crew.dispatch({ type: 'clerk', instruction: 'Book tea' });
  const deed = await outside.next();
  frozen.freeze();
  await nodes.start('other');
  await statusWhere(joined.crew, id, ({ question }) => question?.kind === 'in-doubt');
  deed.answer();
  frozen.thaw();
  const { question } = await statusWhere(joined.crew, id, (status) => status.question?.kind === 'asked');
  expect(question?.text).toBe('Is tea right?');
  await joined.crew.steer(id, { type: 'answer', question: question!.id, text: 'yes' });
  expect(await joined.crew.result(id, never)).toMatchObject({ outcome: 'completed', output: 'tea is booked' });
  expect(outside.deeds).toEqual(['tea']);
  expect(await audit(joined, id)).toEqual([]);
});
