/**
 * H. A task that kills every worker ends with a failed result and one dead letter, even if the workers that end it die too, and
 * an operator can run it again.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DeadLetters } from '../../bus/queue/dead-letters.ts';
import type { ModelCall } from '../support/model-server.ts';
import { never } from '../support/watching.ts';
import { Place } from './crash-matrix/place.ts';

let place: Place;
beforeAll(async () => {
  place = await Place.open();
});
afterAll(() => place.stop());

test('a task that kills its workers one after another ends as a dead letter, and a retry of it succeeds', async () => {
  const run = 'poison';
  const { crew, bus } = await place.crew.join(`driver-${run}`, run);
  const letters = new DeadLetters(crew);
  let calls: ((call: ModelCall) => void) | null = null;
  place.think(run, (call) => calls?.(call));
  const id = await crew.dispatch({ type: 'clerk', instruction: 'Book #poison', backend: 'local' });
  const over = crew.result(id, never).then(() => 'over' as const);

  let killed = 0;
  for (;;) {
    const called = new Promise<'called'>((resolve) => {
      calls = () => resolve('called');
    });
    // The worker that ends the task dies between that commit and the letter.
    const worker = await place.worker(run, { crashAt: 'letter:before#1' });
    const what = await Promise.race([called, worker.gone.then(() => 'gone' as const)]);
    if (what === 'called') worker.process.kill('SIGKILL');
    expect(await worker.gone).toBe(true);
    if (what === 'gone') break;
    killed++;
  }
  await over;
  // The first worker may have been lost before anything was written about it, so it may be missing in the count.
  expect(killed).toBeGreaterThanOrEqual(5);
  expect(killed).toBeLessThanOrEqual(6);
  expect(await letters.list()).toEqual([]);

  // The next worker writes the letter and dies before its ack. The one after that writes none.
  const written = await place.worker(run, { crashAt: 'letter:after#1' });
  expect(await written.gone).toBe(true);
  const acked = new Promise<void>((resolve) => {
    bus.nc.subscribe(`$JS.ACK.${bus.subjects.workStream}.>`, { callback: () => resolve() });
  });
  const { node } = await place.successor(run);
  await acked;
  const [letter, ...more] = await letters.list();
  expect(more).toEqual([]);
  expect(letter).toMatchObject({ kind: 'task', id, type: 'clerk', claims: 5, spec: { instruction: 'Book #poison' } });
  expect(letter).toMatchObject({ why: '5 workers were lost while they held it, and none got any further' });
  expect(new Set((letter as { nodes: string[] }).nodes).size).toBe(5);
  expect(await crew.peekResult(id)).toMatchObject({ outcome: 'failed', failure: { code: 'poison' } });

  calls = (call) => call.reply('booked');
  const retried = await letters.retry(id, never);
  expect(retried).toMatchObject({ how: 'dispatched', id });
  expect(await crew.result(retried.as!, never)).toMatchObject({ outcome: 'completed', output: 'booked' });
  expect(await letters.list()).toEqual([]);
  await node.stop();
});
