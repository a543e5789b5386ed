/** An operator may delete a record with any client of the bucket, or overwrite it. No process then retries for ever. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CrewSession } from '../../../actors/node/join.ts';
import { returnUnborn } from '../../../bus/log/late-steers.ts';
import { publish } from '../../../bus/publish.ts';
import { stateSubject } from '../../../bus/state/state-store.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import { finalReceipt, never } from '../../support/watching.ts';

let crew: TestCrew;
let joined: CrewSession;
beforeEach(async () => {
  crew = await testCrew();
  joined = await crew.join();
});
afterEach(() => crew.stop());

const put = (id: string, value: string) => publish(joined.bus, stateSubject(joined.bus, id), value, {});

test('a sub-task whose record was deleted begins anew', async () => {
  await crew.node(joined, { quietMs: 20 });
  const plan = {
    tasks: [
      { key: 'a', type: 'reasoning', instruction: 'first' },
      { key: 'b', type: 'reasoning', instruction: 'second', after: ['a'] },
    ],
    reduce: { by: 'concat' as const },
  };
  const id = await joined.crew.dispatch({ type: 'supervisor', instruction: 'g', plan });
  const first = await crew.model.next();
  await put(id.replace(/0$/, '2'), '');
  first.reply('one');
  (await crew.model.next()).reply('two');
  expect((await joined.crew.result(id, never)).output).toContain('two');
});

test('a steer to a task whose record was deleted is returned', async () => {
  await crew.node(joined);
  await put('gone.0', '');
  const sent = await joined.crew.steer('gone.0', { type: 'steer', text: 'hello?' });
  expect(await finalReceipt(joined.crew, 'gone.0', sent)).toMatchObject({ fate: 'returned' });
});

test('an invalid value in the bucket is left as it is, and the error says so', async () => {
  await put('odd1.0', 'scribbled');
  await joined.crew.steer('odd1.0', { type: 'steer', text: 'hello?' });
  const answered = returnUnborn(joined.bus, 'odd1.0', 'me', () => new Date().toISOString());
  await expect(answered).rejects.toMatchObject({ code: 'bad-record' });
});
