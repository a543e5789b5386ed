/**
 * Runs before all tests: downloads the files that they need, as the product does, and shows it. Does nothing with a filled cache.
 */

import { obtainBrowser } from '../../actors/tools/browser/find-browser.ts';
import { obtainServerBinary } from '../../bus/embedded/obtain-binary.ts';
import { download } from '../../platform/download.ts';
import { foldersOf } from '../../platform/folders.ts';
import { openLog } from '../../platform/log.ts';
import { progressBar } from '../../platform/progress.ts';
import { namedModels } from '../../roster/embedded/models.ts';

export async function setup(): Promise<void> {
  const folders = foldersOf(process.env);
  const log = openLog({ folder: folders.state, verbose: false, name: 'test' });
  const { onProgress, end } = progressBar(process.stderr);
  try {
    await obtainServerBinary({ folders, env: process.env, log, onProgress });
    await obtainBrowser({ folder: folders.cache, log, onProgress });
    await download(namedModels.small, { folder: folders.cache, log, onProgress });
  } finally {
    end();
  }
}
