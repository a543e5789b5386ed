/** No Chromium survives its node, however the node ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { endLeftovers } from '../../../../actors/tools/browser/browser-process.ts';
import { alive, browserProcesses, until, withChildren } from './rig.ts';

let folder: string;
let node: ChildProcess;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cox-killed-'));
  node = spawn(process.execPath, [join(import.meta.dirname, 'browser-holder.ts'), folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(node.stdout!, 'data');
});
afterEach(async () => {
  node.kill('SIGKILL');
  for (const pid of browserProcesses(folder)) process.kill(pid, 'SIGKILL');
  await until(() => browserProcesses(folder).length === 0);
  rmSync(folder, { recursive: true, force: true });
});

const left = () => (existsSync(join(folder, 'browsers')) ? readdirSync(join(folder, 'browsers')) : []);
const log = pino({ level: 'silent' });

it.each(['SIGKILL', 'SIGTERM'] as const)(
  'a node that ends by %s takes its Chromium with it, although a page loops',
  async (how) => {
    const all = browserProcesses(folder).flatMap(withChildren);
    expect(all.length).toBeGreaterThan(3);
    node.kill(how);
    await until(() => alive(all).length === 0);
    endLeftovers(join(folder, 'browsers'), log);
    expect(left()).toEqual([]);
  },
);

it('a frozen Chromium of a node that was killed is ended by the next start of a browser on the machine', async () => {
  const [main] = browserProcesses(folder);
  const all = withChildren(main!);
  process.kill(main!, 'SIGSTOP');
  endLeftovers(join(folder, 'browsers'), log);
  expect(browserProcesses(folder)).toContain(main);
  const ended = once(node, 'exit');
  node.kill('SIGKILL');
  await ended;
  expect(browserProcesses(folder)).toContain(main);
  endLeftovers(join(folder, 'browsers'), log);
  await until(() => alive(all).length === 0);
  expect(left()).toEqual([]);
});
