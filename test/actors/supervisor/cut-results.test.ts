/** A result that its backend did not finish says so wherever it goes. */
import { expect, test } from 'vitest';
import { testCrew } from '../../support/crew.ts';
import { never } from '../../support/watching.ts';

test('a result that was cut off is marked in itself, in the tree, in the prompt of the reducer and in the answer', async () => {
  const crew = await testCrew();
  try {
    const joined = await crew.join();
    await crew.node(joined, { quietMs: 20 });
    const tasks = [{ key: 'a', type: 'reasoning', instruction: 'Work on a', after: [] }];
    const id = await joined.crew.dispatch({
      type: 'supervisor',
      instruction: 'The goal',
      plan: { tasks, reduce: { by: 'orchestrator', instruction: 'Join' } },
    });
    (await crew.model.next()).cutOff('The risks are 1, ');
    (await crew.model.next()).cutOff('2, ');
    const reduction = await crew.model.next();
    expect(reduction.texts('user').join('\n')).toMatch(
      /## a \(incomplete: it was cut off\)\nThe risks are 1, 2,\s+\[This text is incomplete: .* \(length\)\.\]/,
    );
    reduction.reply('There are two.');
    expect((await joined.crew.result(id, never)).output).toContain('Incomplete, because the reply was cut off: a (length)');
    const sub = id.replace(/0$/, '1');
    expect((await joined.crew.peekResult(sub))?.output).toMatch(/^The risks are 1, 2,\n\n\[This text is incomplete: .*\]$/);
    expect(await joined.crew.tree(id)).toMatchObject([{ id }, { id: sub, incomplete: 'length' }]);
  } finally {
    await crew.stop();
  }
});
