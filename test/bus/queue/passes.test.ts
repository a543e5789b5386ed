import { expect, test } from 'vitest';
import { Passes } from '../../../bus/queue/passes.ts';

/** A pass that the test ends. */
function passes() {
  const running = new Passes();
  const begun: ((end: number | null) => void)[] = [];
  const cover = (seq: number) => running.cover('k3xq.0', seq, () => new Promise((resolve) => begun.push(resolve)));
  return { running, begun, cover };
}

test('a message that comes while a pass runs starts no other one, and the pass is made once more for it', async () => {
  const { begun, cover } = passes();
  const first = cover(7);
  expect(await cover(9)).toBe(false);
  expect(await cover(8)).toBe(false);
  begun[0]!(7);
  await Promise.resolve();
  await Promise.resolve();
  expect(begun).toHaveLength(2);
  begun[1]!(9);
  expect(await first).toBe(true);
  expect(begun).toHaveLength(2);
});

test('a message that an earlier pass has covered needs no pass', async () => {
  const { begun, cover, running } = passes();
  const first = cover(7);
  begun[0]!(12);
  await first;
  expect(running.hasCovered('k3xq.0', 12)).toBe(true);
  expect(await cover(12)).toBe(true);
  expect(begun).toHaveLength(1);
});

test('a pass that could not cover a message leaves it to a later one', async () => {
  const { begun, cover } = passes();
  const first = cover(7);
  begun[0]!(null);
  expect(await first).toBe(false);
  const second = cover(7);
  begun[1]!(7);
  expect(await second).toBe(true);
});
