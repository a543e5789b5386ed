/**
 * The embedded server on a full disk: a small tmpfs that another file fills. The test has to mount it, and is skipped where it
 * may not.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, expect, test } from 'vitest';
import { joinCrew } from '../../actors/node/join.ts';
import { startNode } from '../../actors/node/node.ts';
import { collect } from '../../bus/capacity/retention.ts';
import { readState } from '../../bus/state/state-store.ts';
import { foldersOf } from '../../platform/folders.ts';
import { ModelServer } from '../support/model-server.ts';
import { testRoster } from '../support/roster.ts';
import { never } from '../support/watching.ts';

const disk = mkdtempSync(join(tmpdir(), 'cox-full-disk-'));
const isMounted = (() => {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'tmpfs', disk], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();
afterAll(async () => {
  if (isMounted) execFileSync('umount', ['-l', disk]);
  await rm(disk, { recursive: true, force: true });
});

test.skipIf(!isMounted)(
  'a full disk loses nothing: the operator is told, and the task waits until there is space again',
  async () => {
    const env = { ...process.env, XDG_STATE_HOME: disk, NATS_URL: undefined };
    const log = pino({ level: process.env.COX_TEST_LOG ?? 'silent' });
    const joined = await joinCrew({ env, log, folders: foldersOf(env), start: true, signal: never });
    const model = await ModelServer.start();
    const roster = testRoster(model.url);
    const full = Promise.withResolvers<string>();
    const roomy = Promise.withResolvers<void>();
    const note = (text: string) => (/accepts writes again/.test(text) ? roomy.resolve() : full.resolve(text));
    const node = await startNode({ joined, roster: { current: () => roster }, workspace: disk, onProgress: () => {}, note });
    try {
      const finished = await joined.crew.dispatch({ type: 'reasoning', instruction: 'first' });
      (await model.next()).reply('done');
      await joined.crew.result(finished, never);
      const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'second' });
      const call = await model.next();
      const junk = join(disk, 'junk');
      await writeFile(junk, Buffer.alloc(64_000_000)).catch(() => {});
      call.reply('done '.repeat(1_000));
      // More than is left of the last pages of the store's files, which still take a few bytes.
      const third = 'third '.repeat(2_000);
      await expect(joined.crew.dispatch({ type: 'reasoning', instruction: third })).rejects.toMatchObject({
        code: 'storage-stuck',
        hint: expect.stringContaining('Free some space'),
      });
      expect(await full.promise).toContain('answers but stores nothing');
      await expect(collect(joined.bus, { keep: { finishedAfterMs: 0, finishedBytes: null } })).rejects.toMatchObject({
        code: 'storage-failed',
      });
      await rm(junk);
      expect((await joined.crew.result(id, never)).outcome).toBe('completed');
      await roomy.promise;
      expect((await readState(joined.bus, id))!.record.idleClaims).toBe(0);
      expect((await joined.crew.peekResult(finished))?.output).toBe('done');
      expect((await joined.crew.tasks()).map((task) => task.id).sort()).toEqual([finished, id].sort());
    } finally {
      await node.stop();
      await joined.close();
      await model.stop();
    }
  },
);
