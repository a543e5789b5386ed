/**
 * A node in a process of its own, for benchmarks. It hosts the kinds `bench`, which calls the model, `echo`, which ends at once,
 * and `stall`, which thinks for ever; it echoes raw requests and reports its memory.
 */
import { pino } from 'pino';
import { defineKind } from '../../actors/kinds/define-kind.ts';
import { joinCrew } from '../../actors/node/join.ts';
import { startNode } from '../../actors/node/node.ts';
import { foldersOf } from '../../platform/folders.ts';
import { parseRoster } from '../../roster/load.ts';

const { MODEL_URL = '' } = process.env;
const joined = await joinCrew({
  env: process.env,
  log: pino({ level: 'silent' }),
  folders: foldersOf(process.env),
  start: true,
  signal: AbortSignal.timeout(60_000),
});
const roster = parseRoster(
  `backends: { main: { base_url: "${MODEL_URL}", model: scripted, tier: local, good_at: [bench], can_orchestrate: true, concurrency: 1024 } }\n`,
  '/roster.yaml',
);
await startNode({
  joined,
  roster: { current: () => roster },
  workspace: process.cwd(),
  onProgress: () => {},
  slots: 5000,
  kinds: [
    defineKind({ name: 'echo', think: ({ instruction }) => instruction }),
    defineKind({ name: 'stall', think: () => new Promise(() => {}) }),
    { name: 'bench', prompt: 'Bench.', tools: [], needs: [], limits: { steps: 10_000, failures: 3, repeats: 3, costUsd: null } },
  ],
});
const { nc } = joined.bus;
nc.subscribe('bench.echo', { callback: (_, message) => void message.respond(message.data) });
nc.subscribe('bench.memory', {
  callback: (_, message) => {
    globalThis.gc?.();
    const { heapUsed, rss } = process.memoryUsage();
    message.respond(JSON.stringify({ heapUsed, rss }));
  },
});
await nc.flush();
process.stdout.write('ready\n');
