import { expect, test } from 'vitest';
import { memoryTools } from '../../../actors/tools/memory.ts';
import type { Memory } from '../../../bus/shared-memory.ts';

/** The keys under which the tool stores notes. */
async function keysOf(...given: string[]): Promise<string[]> {
  const keys: string[] = [];
  const memory = { remember: async (key: string) => void keys.push(key) } as unknown as Memory;
  const [remember] = memoryTools(memory);
  const context = { task: 'k3xq.1', workspace: '/', signal: new AbortController().signal, idempotencyKey: 'k' };
  for (const key of given) await remember!.run(remember!.args.parse({ key, text: 'x' }), context);
  return keys;
}

test('words become a key', async () => {
  expect(await keysOf('Work email', 'v1.2', ' --a..b. ')).toEqual(['work-email', 'v1.2', 'a.b']);
});

test('words in other scripts become different keys, and the same words the same', async () => {
  const keys = await keysOf('客户 1', '供应商 1', '会议', 'é'.normalize('NFC'), 'é'.normalize('NFD'));
  expect(new Set(keys).size).toBe(4);
  expect(keys[3]).toBe(keys[4]);
  for (const key of keys) expect(key).toMatch(/^[a-z0-9][a-z0-9-]*$/);
});
