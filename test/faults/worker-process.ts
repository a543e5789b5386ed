/**
 * A worker in a process of its own, to be killed: a library user's program with two tools that touch the outside world, a file that counts.
 * Environment: those of joinCrew, MODEL_URL, WORLD (the file), ACK_WAIT_MS, and the crash points' COX_CRASH_AT and COX_CRASH_LOG.
 */
import { appendFile } from 'node:fs/promises';
import { pino } from 'pino';
import { z } from 'zod';
import { joinCrew } from '../../actors/join.ts';
import { startNode } from '../../actors/node.ts';
import { defineTool } from '../../actors/tools/tool.ts';
import { foldersOf } from '../../platform/folders.ts';
import { testRoster } from '../support/roster.ts';

const { MODEL_URL = '', WORLD = '', ACK_WAIT_MS = '1000', COX_TEST_LOG = 'silent' } = process.env;
const touch = (name: string, effects: 'none' | 'writes') =>
  defineTool({
    name,
    description: name,
    args: z.object({ what: z.string() }),
    effects,
    run: async ({ what }) => {
      await appendFile(WORLD, `${name} ${what}\n`);
      return { text: `${name} ${what}: done` };
    },
  });

const joined = await joinCrew({
  env: process.env,
  log: pino({ level: COX_TEST_LOG }),
  folders: foldersOf(process.env),
  start: true,
  signal: AbortSignal.timeout(60_000),
});
const roster = testRoster(MODEL_URL);
const node = await startNode({
  joined,
  roster: { current: () => roster },
  workspace: process.cwd(),
  onProgress: () => {},
  ackWaitMs: Number(ACK_WAIT_MS),
  quietMs: 20,
  kinds: [
    {
      name: 'clerk',
      prompt: 'You keep the books.',
      tools: [touch('look', 'none'), touch('book', 'writes')],
      needs: [],
      limits: { steps: 20, failures: 3, repeats: 5, costUsd: null },
    },
  ],
});
process.on('SIGTERM', () => void node.stop().then(() => joined.close()));
process.stdout.write('ready\n');
