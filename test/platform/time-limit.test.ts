import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { unlessAborted, withTimeLimit } from '../../platform/time-limit.ts';

test('work that goes on is given up with the reason of the signal', async () => {
  const stop = new AbortController();
  const work = Promise.withResolvers<string>();
  const waits = unlessAborted(work.promise, stop.signal);
  stop.abort(new Error('nobody waits'));
  await expect(waits).rejects.toThrow('nobody waits');
  // Its late failure bothers nobody.
  work.reject(new Error('late'));
  await new Promise((resolve) => setImmediate(resolve));
});

test('a signal that has fired already ends the wait at once', async () => {
  await expect(unlessAborted(new Promise(() => {}), AbortSignal.abort(new Error('before')))).rejects.toThrow('before');
});

test('the outcome of the work is passed on, and no listener stays', async () => {
  const { signal } = new AbortController();
  expect(await unlessAborted(Promise.resolve('done'), signal)).toBe('done');
  await expect(unlessAborted(Promise.reject(new Error('failed')), signal)).rejects.toThrow('failed');
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
});

test('a wait that ignores its signal ends with the limit of time', async () => {
  const never = new Promise<never>(() => {});
  await expect(withTimeLimit(5, (signal) => unlessAborted(never, signal))).rejects.toThrow('it took longer than 5 ms');
});
