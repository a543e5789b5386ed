/**
 * A node in a process of its own that writes its log to stdout, with a clerk whose bookings are counted outside. Environment:
 * that of joinCrew, MODEL_URL, OUTSIDE_URL, NODE_NAME, LEASE_MS, and CLOCK_OFF_MS, the error of this machine’s clock in ms.
 */
import { pino } from 'pino';

const { MODEL_URL = '', OUTSIDE_URL = '', NODE_NAME = '', LEASE_MS = '1000', CLOCK_OFF_MS = '0' } = process.env;

/** Replaced before anything else is loaded, so that no module here sees the right time. */
const RightDate = Date;
const wrongNow = () => RightDate.now() + Number(CLOCK_OFF_MS);
globalThis.Date = new Proxy(RightDate, {
  construct: (_, args: []) => (args.length > 0 ? new RightDate(...args) : new RightDate(wrongNow())),
  apply: () => new RightDate(wrongNow()).toString(),
  get: (target, key) => (key === 'now' ? wrongNow : Reflect.get(target, key)),
});

const [{ joinCrew }, { startNode }, { foldersOf }, { testRoster }, { clerk }, { camera, guide }] = await Promise.all([
  import('../../actors/node/join.ts'),
  import('../../actors/node/node.ts'),
  import('../../platform/folders.ts'),
  import('../support/roster.ts'),
  import('./books.ts'),
  import('./camera.ts'),
]);

const joined = await joinCrew({
  env: process.env,
  log: pino({ level: 'info' }),
  folders: foldersOf(process.env),
  start: true,
  signal: AbortSignal.timeout(60_000),
  name: NODE_NAME,
});
const roster = testRoster(MODEL_URL);
await startNode({
  joined,
  roster: { current: () => roster },
  workspace: process.cwd(),
  onProgress: () => {},
  leaseMs: Number(LEASE_MS),
  quietMs: 20,
  kinds: [
    clerk(async (what) => void (await fetch(`${OUTSIDE_URL}/${encodeURIComponent(what)}`))),
    camera(NODE_NAME),
    guide(NODE_NAME),
  ],
});
process.stdout.write(`${JSON.stringify({ msg: 'ready' })}\n`);
