import { afterEach, beforeEach, expect, test } from 'vitest';
import { defineKind } from '../../../actors/kinds/define-kind.ts';
import { parseStatus } from '../../../bus/log/projection.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import { never } from '../../support/watching.ts';

let crew: TestCrew;
beforeEach(async () => {
  crew = await testCrew();
});
afterEach(() => crew.stop());

const asks = defineKind({
  name: 'asks',
  think: ({ messages }) =>
    messages.find(({ role }) => role === 'tool')?.text ?? {
      text: '',
      calls: [{ tool: 'ask_operator', args: { question: 'Which address?' } }],
    },
});

/** `npm run bench:parked` does the same with 10,000 tasks. */
test('any number of tasks that wait for an operator take no slot, and each wakes on its own answer', async () => {
  const count = 200;
  const joined = await crew.join();
  const { bus } = joined;
  await crew.node(joined, { kinds: [asks], types: ['asks'], slots: 2 });
  const waiting = new Set<string>();
  const { promise: allWait, resolve } = Promise.withResolvers<void>();
  bus.nc.subscribe(bus.subjects.every('status'), {
    callback: (_, { data }) => {
      const status = parseStatus(data);
      if (status?.state === 'awaiting-steer') waiting.add(status.id);
      if (waiting.size === count) resolve();
    },
  });
  await bus.nc.flush();
  const dispatch = (i: number) => joined.crew.dispatch({ type: 'asks', instruction: `form ${i}` });
  const ids = await Promise.all(Array.from({ length: count }, (_, i) => dispatch(i)));
  await allWait;
  const answer = (id: string, i: number) => joined.crew.steer(id, { type: 'answer', question: 'q1', text: `address ${i}` });
  await Promise.all(ids.map(answer));
  const results = await Promise.all(ids.map((id) => joined.crew.result(id, never)));
  expect(results.map(({ output }) => output)).toEqual(ids.map((_, i) => `address ${i}`));
});
