import { afterAll, beforeAll, expect, test } from 'vitest';
import { memoryTools } from '../../../actors/tools/memory.ts';
import { Memory } from '../../../bus/shared-memory.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';

let crew: TestCrew;
let tried = 0;
beforeAll(async () => {
  crew = await testCrew();
});
afterAll(() => crew.stop());

/** The keys of the notes that are stored after the tool was called with each of these words. */
async function keysOf(...given: string[]): Promise<string[]> {
  const namespace = `notes${tried++}`;
  const memory = new Memory((await crew.join(namespace, namespace)).bus);
  const [remember] = memoryTools(memory);
  const context = { task: 'k3xq.1', workspace: '/', signal: new AbortController().signal, idempotencyKey: 'k' };
  for (const key of given) await remember!.run(remember!.args.parse({ key, text: `about ${key}` }), context);
  return (await memory.recall('')).map(({ key }) => key).sort();
}

test('words become a key', async () => {
  expect(await keysOf('Work email', 'v1.2', ' --a..b. ')).toEqual(['a.b', 'v1.2', 'work-email']);
});

test('words in other scripts become different keys, and the same words the same', async () => {
  expect(await keysOf('客户 1', '供应商 1', '会议')).toHaveLength(3);
  expect(await keysOf('é'.normalize('NFC'), 'é'.normalize('NFD'))).toHaveLength(1);
});
