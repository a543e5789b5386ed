import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open as openFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { cachedAsset } from '../../../platform/download.ts';
import { foldersOf } from '../../../platform/folders.ts';
import { modelFile, namedModels } from '../../../roster/embedded/models.ts';
import { client, never, open, tempFolder } from './rig.ts';

test('simultaneous calls share one start, and stop can be called twice', async () => {
  const embedded = await open();
  expect(embedded.state()).toBe('off');
  const [one, two] = await Promise.all([embedded.ready(never), embedded.ready(never)]);
  expect(one).toEqual(two);
  expect(embedded.state()).toBe('ready');
  await Promise.all([embedded.stop(), embedded.stop()]);
  await embedded.stop();
  expect(embedded.state()).toBe('off');
  await expect(client(one).models.list()).rejects.toThrow();
  await expect(embedded.ready(never)).rejects.toMatchObject({ code: 'embedded-stopped' });
}, 300_000);

test('a crash fails the call in flight, and the next call has a new process', async () => {
  const embedded = await open();
  const first = await embedded.ready(never);
  const messages = [{ role: 'user' as const, content: 'Count from 1 to 1000.' }];
  const stream = await client(first).chat.completions.create({ model: 'small', messages, stream: true });
  const crashing = (async () => {
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) process.kill(embedded.pid()!, 'SIGKILL');
  })();
  await expect(crashing).rejects.toThrow();
  const second = await embedded.ready(never);
  expect(second.baseUrl).not.toBe(first.baseUrl);
  const reply = await client(second).chat.completions.create({ model: 'small', messages, max_tokens: 3 });
  expect(reply.usage!.completion_tokens).toBe(3);
}, 300_000);

test('the process ends with its last waiting caller and starts again for the next one', async () => {
  const embedded = await open();
  const leaving = new AbortController();
  const waiting = embedded.ready(leaving.signal);
  while (embedded.state() !== 'loading') await setImmediate();
  leaving.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  expect(embedded.state()).toBe('off');
  await embedded.ready(never);
  expect(embedded.state()).toBe('ready');
}, 300_000);

test('the process ends with its owner, even if the owner is killed', async () => {
  const folder = await tempFolder();
  const owner = spawn(process.execPath, [fileURLToPath(new URL('./owner.ts', import.meta.url)), folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface({ input: owner.stdout }), 'line')) as [string];
  const { port } = new URL(line);
  const socket = connect(Number(port), '127.0.0.1');
  await once(socket, 'connect');
  socket.on('error', () => {});
  const closed = once(socket, 'close');
  owner.kill('SIGKILL');
  await closed;
  // A living server may close the connection too. A dying one refuses the next connection, or resets it first.
  while ((await knock(Number(port))) !== 'ECONNREFUSED');
}, 300_000);

test('an error names a model file that is missing, no model, or cut short', async () => {
  const folder = await tempFolder();
  const missing = join(folder, 'none.gguf');
  await expect((await open(missing)).ready(never)).rejects.toMatchObject({
    code: 'model-missing',
    message: expect.stringContaining(missing),
  });

  const text = join(folder, 'text.gguf');
  await writeFile(text, 'this is no model');
  await expect((await open(text)).ready(never)).rejects.toMatchObject({ code: 'model-corrupt' });
  await expect(modelFile(text, foldersOf(process.env))).rejects.toMatchObject({ code: 'model-corrupt' });

  const cut = join(folder, 'cut.gguf');
  await using small = await openFile(cachedAsset(namedModels.small, foldersOf(process.env).cache)!);
  const { buffer } = await small.read({ buffer: Buffer.alloc(8_000_000), position: 0 });
  await writeFile(cut, buffer);
  await expect((await open(cut)).ready(never)).rejects.toMatchObject({
    code: 'model-unusable',
    message: expect.stringContaining(cut),
  });
}, 300_000);

async function knock(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return 'open';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? '';
  } finally {
    socket.destroy();
  }
}
