/** Works on one task, then prints the URLs of all modules that were loaded. Environment: that of joinCrew, and MODEL_URL. */
import { registerHooks } from 'node:module';
import { pino } from 'pino';

const loaded = new Set<string>();
registerHooks({
  load: (url, context, next) => {
    loaded.add(url);
    return next(url, context);
  },
});
const [{ joinCrew }, { startNode }, { foldersOf }, { testRoster }] = await Promise.all([
  import('../../../actors/node/join.ts'),
  import('../../../actors/node/node.ts'),
  import('../../../platform/folders.ts'),
  import('../../support/roster.ts'),
]);
const signal = AbortSignal.timeout(60_000);
const log = pino({ level: 'silent' });
const joined = await joinCrew({ env: process.env, log, folders: foldersOf(process.env), start: true, signal });
const roster = testRoster(process.env.MODEL_URL!);
const node = await startNode({ joined, roster: { current: () => roster }, workspace: process.cwd(), onProgress: () => {} });
const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'Think' });
await joined.crew.result(id, signal);
await node.stop();
await joined.close();
process.stdout.write(JSON.stringify([...loaded]));
