import { afterEach, beforeEach, expect, test } from 'vitest';
import { defineKind } from '../../../actors/kinds/define-kind.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import { never } from '../../support/watching.ts';

let crew: TestCrew;
beforeEach(async () => {
  crew = await testCrew();
});
afterEach(() => crew.stop());

test('a plan of 2,000 sub-tasks is fanned out and reduced, each run once, though its record is large', async () => {
  const joined = await crew.join();
  const ran: string[] = [];
  const count = defineKind({
    name: 'count',
    think: ({ instruction }) => {
      ran.push(instruction);
      return `did ${instruction}`;
    },
  });
  const rosterYaml = 'supervision: { concurrency: 10000, max_tasks: 10000 }';
  await crew.node(joined, { kinds: [count], types: ['supervisor', 'count'], slots: 512, rosterYaml });
  const numbers = Array.from({ length: 2_000 }, (_, i) => `number ${i} of a list that makes the record of the goal long`);
  const tasks = numbers.map((instruction, i) => ({ key: `k${i}`, type: 'count', instruction }));
  const id = await joined.crew.dispatch({ type: 'supervisor', instruction: 'all', plan: { tasks, reduce: { by: 'concat' } } });
  const { outcome, output } = await joined.crew.result(id, never);
  expect(outcome).toBe('completed');
  expect(ran.toSorted()).toEqual(numbers.toSorted());
  for (const number of numbers) expect(output).toContain(`did ${number}`);
  expect((await joined.crew.tree(id)).length).toBe(numbers.length + 1);
});
