/**
 * A worker in a process of its own. Environment: that of joinCrew, and RUN, MODEL_URL, OUTSIDE_URL, TYPES (comma-separated,
 * default all), COX_CRASH_AT and COX_CRASH_LOG. Prints `ready` when it takes tasks. SIGTERM drains it. At SIGUSR2 it collects its
 * garbage and prints the bytes of its heap.
 */
import type { Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { pino } from 'pino';
import { joinCrew } from '../../../actors/node/join.ts';
import { foldersOf } from '../../../platform/folders.ts';
import { startWorkerNode } from './worker-node.ts';

const { RUN: run = '', MODEL_URL: modelUrl = '', OUTSIDE_URL: outsideUrl = '', TYPES, COX_TEST_LOG = 'silent' } = process.env;
const joined = await joinCrew({
  env: process.env,
  log: pino({ level: COX_TEST_LOG }, process.stderr),
  folders: foldersOf(process.env),
  start: true,
  signal: AbortSignal.timeout(60_000),
  namespace: run,
});
const node = await startWorkerNode(joined, { run, modelUrl, outsideUrl, ...(TYPES && { types: TYPES.split(',') }) });
process.stdin.on('end', () => process.exit(1)).resume();
(process.stdin as Socket).unref();
process.on('SIGTERM', () => void node.stop().then(() => joined.close()));
process.on('SIGUSR2', () => {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  process.stdout.write(`${process.memoryUsage().heapUsed}\n`);
});
process.stdout.write('ready\n');
