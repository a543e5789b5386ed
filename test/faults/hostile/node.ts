/**
 * A node in a process of its own, with the log of the product. Environment: that of joinCrew, and MODEL_URL. Prints `ready`, and
 * then every 5 s how many bytes it uses after a garbage collection, in the heap and beside it.
 */
import { joinCrew } from '../../../actors/node/join.ts';
import { startNode } from '../../../actors/node/node.ts';
import { foldersOf } from '../../../platform/folders.ts';
import { openLog } from '../../../platform/log.ts';
import { testRoster } from '../../support/roster.ts';

const folders = foldersOf(process.env);
const joined = await joinCrew({
  env: process.env,
  log: openLog({ folder: folders.state, verbose: false, name: 'node' }),
  folders,
  start: true,
  signal: AbortSignal.timeout(60_000),
  name: 'node',
});
const roster = testRoster(process.env.MODEL_URL ?? '');
await startNode({ joined, roster: { current: () => roster }, workspace: process.cwd(), onProgress: () => {} });
process.stdout.write('ready\n');
setInterval(() => {
  globalThis.gc!();
  const { heapUsed, external } = process.memoryUsage();
  process.stdout.write(`${heapUsed + external}\n`);
}, 5_000);
