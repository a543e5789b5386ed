/** Lists that many clients ask for at once cost a few scans. */
import { expect, test } from 'vitest';
import { Scans } from '../../bus/scans.ts';
import { testCrew } from '../support/crew.ts';

/** A scan that ends when the test says so. */
function scan<T>(value: T) {
  const end = Promise.withResolvers<T>();
  let begun = 0;
  return {
    begun: () => begun,
    end: () => end.resolve(value),
    fail: () => end.reject(new Error('no')),
    run: () => {
      begun++;
      return end.promise;
    },
  };
}
const settled = () => new Promise((resolve) => setImmediate(resolve));

test('callers at once share a scan, and one that comes after its beginning gets the next', async () => {
  const scans = new Scans();
  const [first, second] = [scan('before'), scan('after')];
  const early = [scans.share('>', first.run), scans.share('>', first.run)];
  await settled();
  const late = [scans.share('>', second.run), scans.share('>', second.run)];
  first.end();
  second.end();
  expect(await Promise.all([...early, ...late])).toEqual(['before', 'before', 'after', 'after']);
  expect([first.begun(), second.begun()]).toEqual([1, 1]);
});

test('two scans run at a time, the others wait in line, and a failure gives its place back', async () => {
  const scans = new Scans();
  const all = ['a', 'b', 'c', 'd'].map((key) => ({ key, it: scan(key) }));
  const answers = all.map(({ key, it }) => scans.share(key, it.run).catch(() => 'failed'));
  await settled();
  expect(all.map(({ it }) => it.begun())).toEqual([1, 1, 0, 0]);
  all[0]!.it.fail();
  await settled();
  expect(all.map(({ it }) => it.begun())).toEqual([1, 1, 1, 0]);
  for (const { it } of all) it.end();
  expect(await Promise.all(answers)).toEqual(['failed', 'b', 'c', 'd']);
});

test('a thousand requests for lists read the records a few times', async () => {
  const crew = await testCrew();
  try {
    const { bus, crew: client } = await crew.join('many');
    const id = await client.dispatch({ type: 'reasoning', instruction: 'x' });
    let scanned = 0;
    const seen = bus.nc.subscribe(`$JS.EVENT.ADVISORY.CONSUMER.CREATED.KV_${bus.subjects.stateBucket}.>`, {
      callback: () => {
        scanned++;
      },
    });
    const lists = await Promise.all(Array.from({ length: 1_000 }, () => client.tasks()));
    await bus.nc.flush();
    seen.unsubscribe();
    expect(lists.every((tasks) => tasks.length === 1 && tasks[0]!.id === id)).toBe(true);
    expect(scanned).toBeGreaterThan(0);
    expect(scanned).toBeLessThanOrEqual(3);
  } finally {
    await crew.stop();
  }
});
