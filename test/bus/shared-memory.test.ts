import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { CrewSession } from '../../actors/node/join.ts';
import { Memory, maxNoteChars, maxNotes } from '../../bus/shared-memory.ts';
import { type TestCrew, testCrew } from '../support/crew.ts';

let crew: TestCrew;
let joined: CrewSession;
let namespace: string;
let tried = 0;
beforeAll(async () => {
  crew = await testCrew();
});
afterAll(() => crew.stop());
beforeEach(async () => {
  namespace = `memory${tried++}`;
  joined = await crew.join(namespace, namespace);
});

test('an unused memory recalls nothing', async () => {
  expect(await new Memory(joined.bus).recall('anything')).toEqual([]);
});

test('a note is found by words of its key or its text, by any client of the crew', async () => {
  const memory = new Memory(joined.bus);
  await memory.remember('work-email', 'anna@example.org', 'k3xq.1');
  await memory.remember('favourite.colour', 'The operator likes green', 'k3xq.2');
  const other = new Memory((await crew.join('second', namespace)).bus);
  expect(await other.recall('emails of work')).toMatchObject([{ key: 'work-email', text: 'anna@example.org', from: 'k3xq.1' }]);
  expect((await other.recall('which colour?')).map(({ key }) => key)).toEqual(['favourite.colour']);
  expect((await other.recall('EXAMPLE.ORG')).map(({ key }) => key)).toEqual(['work-email']);
  expect((await other.recall('')).map(({ key }) => key)).toEqual(['favourite.colour', 'work-email']);
});

test('a key is overwritten, and a forgotten key leaves nothing behind', async () => {
  const memory = new Memory(joined.bus);
  await memory.remember('city', 'Bern', 'a');
  await memory.remember('city', 'Basel', 'b');
  expect(await memory.recall('city')).toMatchObject([{ text: 'Basel', from: 'b' }]);
  expect(await memory.forget('city')).toBe(true);
  expect(await memory.forget('city')).toBe(false);
  expect(await memory.recall('city')).toEqual([]);
});

test.each(['', ' ', 'a b', 'a.>', '*', '.a', 'a.', 'a..b', 'ä', 'x'.repeat(129)])('the key %j is refused', async (key) => {
  await expect(new Memory(joined.bus).remember(key, 'text', 'me')).rejects.toMatchObject({ code: 'bad-key' });
});

test('a text that is empty or too long is refused', async () => {
  const memory = new Memory(joined.bus);
  await expect(memory.remember('long', 'x'.repeat(maxNoteChars + 1), 'me')).rejects.toMatchObject({ code: 'bad-note' });
  await expect(memory.remember('empty', ' ', 'me')).rejects.toMatchObject({ code: 'bad-note' });
  await memory.remember('longest', '\u0001'.repeat(maxNoteChars), 'me');
});

test('values that are no notes are left out', async () => {
  const memory = new Memory(joined.bus);
  await memory.remember('honest', 'a note about foreigners', 'me');
  for (const [key, value] of [
    ['foreign', 'no json, about foreigners'],
    ['foreign2', '{"text":7,"about":"foreigners"}'],
  ] as const)
    await joined.bus.js.publish(`$KV.${joined.bus.subjects.memoryBucket}.${key}`, value);
  expect((await memory.recall('foreigners')).map(({ key }) => key)).toEqual(['honest']);
});

test('a full memory takes no new keys, and new texts for old ones', async () => {
  const memory = new Memory(joined.bus);
  // The first request makes the bucket.
  await memory.recall('');
  const put = (n: number) =>
    joined.bus.js.publish(`$KV.${joined.bus.subjects.memoryBucket}.filler-${n}`, '{"text":"x","from":"x"}');
  for (let n = 0; n < maxNotes; n += 100) await Promise.all(Array.from({ length: 100 }, (_, i) => put(n + i)));
  await expect(memory.remember('one-more', 'text', 'me')).rejects.toMatchObject({ code: 'memory-full' });
  await memory.remember('filler-1', 'quite another text', 'me');
  expect((await memory.recall('another')).map(({ key }) => key)).toEqual(['filler-1']);
});
