/**
 * Runs one contender in a process of its own, so that contenders share no heap, threads or failures. Arguments: its name, its
 * temporary folder. The process ends when its parent disconnects, and ends everything that it has started.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../../platform/errors.ts';
import { foldersOf } from '../../../platform/folders.ts';
import { type Contender, Unavailable } from './contender.ts';
import type { FromContender, ToContender } from './contender-messages.ts';
import { contenders } from './contenders.ts';

const [key = '', folder = ''] = process.argv.slice(2);
const ends = new AsyncDisposableStack();
ends.defer(() => rm(folder, { recursive: true, force: true }));
const lettingGo = new AbortController();

const tell = (message: FromContender): void => {
  if (process.connected) process.send?.(message);
};

async function start(): Promise<Contender | null> {
  try {
    const load = contenders[key];
    if (!load) throw new Unavailable(`there is no contender "${key}", only ${Object.keys(contenders).join(', ')}`);
    const contender = await (await load())({
      folder,
      cache: join(foldersOf(process.env).cache, 'bench-peers'),
      say: (line) => tell({ is: 'saying', line }),
      signal: lettingGo.signal,
      ends,
    });
    tell({ is: 'ready', name: contender.name, stores: contender.stores });
    return contender;
  } catch (error) {
    tell(
      error instanceof Unavailable ? { is: 'unavailable', reason: error.message } : { is: 'failed', message: messageOf(error) },
    );
    return null;
  }
}

const starting = start();
process.once('disconnect', async () => {
  lettingGo.abort();
  await starting;
  await ends.disposeAsync().finally(() => process.exit());
});
process.on('message', async ({ fanOut: size }: ToContender) => {
  try {
    const contender = await starting;
    if (contender) tell({ is: 'done', usEach: await contender.fanOut(size) });
  } catch (error) {
    tell({ is: 'failed', message: messageOf(error) });
  }
});
