import { expect, test } from 'vitest';
import { handleEach } from '../../../bus/queue/bounded.ts';

test('messages are handled many at a time, never more than the limit, and all of them', async () => {
  const open = new Set<() => void>();
  let [most, handled] = [0, 0];
  const endAll = () => {
    for (const end of open) end();
    open.clear();
  };
  const handle = async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    open.add(resolve);
    most = Math.max(most, open.size);
    // Nothing ends before the limit is reached.
    if (open.size === 10) setImmediate(endAll);
    await promise;
    handled++;
  };
  await handleEach(
    (async function* () {
      yield* Array.from({ length: 1_000 }, (_, n) => n);
    })(),
    10,
    handle,
  );
  expect(most).toBe(10);
  endAll();
  await expect.poll(() => handled).toBe(1_000);
});

test('an error of the consumer is passed on', async () => {
  const broken = (async function* () {
    yield 1;
    throw new Error('gone');
  })();
  await expect(handleEach(broken, 2, async () => {})).rejects.toThrow('gone');
});
