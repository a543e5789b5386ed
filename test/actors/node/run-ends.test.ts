/** A worker says how each run of a task has ended on its node, for what the node holds beside the task, such as its page. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CrewSession } from '../../../actors/node/join.ts';
import type { Worker } from '../../../actors/node/worker.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import { workerOf } from '../../support/versioned-worker.ts';
import { never } from '../../support/watching.ts';

let crew: TestCrew;
let joined: CrewSession;
let worker: Worker;
let ends: string[];
let heard = Promise.withResolvers<void>();
beforeEach(async () => {
  crew = await testCrew();
  joined = await crew.join();
  ends = [];
  const onRunEnd = (id: string, end: string | null) => {
    ends.push(`${id} ${end}`);
    heard.resolve();
  };
  worker = await workerOf(crew, joined, { onRunEnd });
});
afterEach(async () => {
  await worker.drain();
  await crew.stop();
});

async function ended(count: number): Promise<string[]> {
  while (ends.length < count) {
    await heard.promise;
    heard = Promise.withResolvers();
  }
  return ends;
}

test('a task that asks is parked, and is done when it has its answer', async () => {
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'Ask me' });
  (await crew.model.next()).call('ask_operator', { question: 'Which?' });
  expect(await ended(1)).toEqual([`${id} parked`]);
  await joined.crew.steer(id, { type: 'answer', question: 'q1', text: 'That one' } as never);
  (await crew.model.next()).reply('so be it');
  expect((await joined.crew.result(id, never)).output).toBe('so be it');
  expect(await ended(2)).toEqual([`${id} parked`, `${id} done`]);
});

test('a task of a node that drains is released', async () => {
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'Think long' });
  await crew.model.next();
  await worker.drain();
  expect(await ended(1)).toEqual([`${id} released`]);
});
