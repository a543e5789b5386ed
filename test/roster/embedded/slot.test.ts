import { expect, test } from 'vitest';
import { Slot } from '../../../roster/embedded/slot.ts';

const never = new AbortController().signal;

test('the slot serves in order and skips a caller that has left the line', async () => {
  const slot = new Slot();
  const release = await slot.take(never);
  const order: string[] = [];
  const leaving = new AbortController();
  const wait = async (name: string, signal: AbortSignal) => {
    const free = await slot.take(signal);
    order.push(name);
    free();
  };
  const waits = [wait('a', never), wait('b', leaving.signal), wait('c', never)];
  expect(slot.waiting).toBe(3);
  leaving.abort(new Error('left'));
  await expect(waits[1]).rejects.toThrow('left');
  release();
  release();
  await Promise.all([waits[0], waits[2]]);
  expect(order).toEqual(['a', 'c']);
  (await slot.take(never))();
});
