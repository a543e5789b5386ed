import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CrewSession } from '../../../actors/node/join.ts';
import { readState } from '../../../bus/state/state-store.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import { HeldTool } from '../../support/tools.ts';
import { never, tokenOf } from '../../support/watching.ts';

let crew: TestCrew;
let joined: CrewSession;
beforeEach(async () => {
  crew = await testCrew();
  joined = await crew.join();
});
afterEach(() => crew.stop());

test('a draining node requeues its tasks at once, and another node goes on where they were', async () => {
  const first = await crew.node(joined);
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'Think long' });
  const call = await crew.model.next();
  call.say('so far');
  await tokenOf(joined.crew, id);
  await first.stop();
  expect(await call.closed).toBe(true);
  expect((await readState(joined.bus, id))?.record).toMatchObject({ phase: 'ready', idleClaims: 0 });
  await crew.node(joined);
  const again = await crew.model.next();
  expect(again.texts('user').join()).toContain('Think long');
  again.reply('done');
  expect((await joined.crew.result(id, never)).output).toBe('done');
});

test('a tool that writes finishes before its task is requeued', async () => {
  const submit = new HeldTool('submit', 'writes');
  const limits = { steps: 9, failures: 3, repeats: 3, costUsd: null };
  const kinds = [{ name: 'form', prompt: 'Fill in.', tools: [submit.tool], needs: [], limits }];
  const first = await crew.node(joined, { kinds });
  const id = await joined.crew.dispatch({ type: 'form', instruction: 'Submit it', backend: 'main' });
  (await crew.model.next()).call('submit', { a: 1 });
  const run = await submit.next();
  const draining = first.drain();
  expect(run.signal.aborted).toBe(false);
  run.returns('submitted');
  await draining;
  await crew.node(joined, { kinds });
  const next = await crew.model.next((call) => call.texts('tool').includes('submitted'));
  next.reply('done');
  expect((await joined.crew.result(id, never)).output).toBe('done');
  expect(submit.runs).toHaveLength(1);
});

test('tasks survive when the last terminal leaves and its server stops', async () => {
  const first = await crew.node(joined);
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'Wait for me' });
  await crew.model.next();
  await first.stop();
  await joined.close();
  const back = await crew.join('later');
  await crew.node(back);
  (await crew.model.next()).reply('still here');
  expect((await back.crew.result(id, never)).output).toBe('still here');
});

test('a task that is being claimed while the node leaves is requeued like the others', async () => {
  const { bus } = joined;
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  const { streams } = bus.jsm;
  const getMessage = async (stream: string, query: never) => {
    if (stream === `KV_${bus.subjects.stateBucket}`) {
      asked.resolve();
      await answer.promise;
    }
    return streams.getMessage(stream, query);
  };
  const jsm = Object.create(bus.jsm, { streams: { value: Object.create(streams, { getMessage: { value: getMessage } }) } });
  const node = await crew.node({ ...joined, bus: { ...bus, jsm } });
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'Just begun' });
  await asked.promise;
  const drained = node.drain();
  answer.resolve();
  await drained;
  expect((await readState(bus, id))?.record).toMatchObject({ phase: 'ready', epoch: 1, idleClaims: 0 });
});
