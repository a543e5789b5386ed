/** A process that keeps one artifact: `keeper.ts <call> <bytes> <letter>`. Tests kill it with COX_CRASH_AT while it does. */
import { pino } from 'pino';
import { joinCrew } from '../../../actors/node/join.ts';
import { Artifacts } from '../../../bus/artifacts/artifacts.ts';
import { foldersOf } from '../../../platform/folders.ts';

const [call = '', bytes = '', letter = ''] = process.argv.slice(2);
const { env } = process;
const joined = await joinCrew({
  env,
  log: pino({ level: 'silent' }),
  folders: foldersOf(env),
  start: false,
  signal: new AbortController().signal,
});
await new Artifacts(joined.bus).keep({ task: 'k3xq.1', call, n: 0 }, { bytes: Buffer.alloc(Number(bytes), letter) });
await joined.close();
