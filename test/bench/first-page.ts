/**
 * Time and memory of the first page of a task: with no browser yet, and with one that another task has started; against bare
 * playwright-core in the same run. `npm run bench:pages`.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { chromium } from 'playwright-core';
import { Browsers } from '../../actors/tools/browser/browsers.ts';
import { obtainBrowser } from '../../actors/tools/browser/find-browser.ts';
import { openGuardedProxy } from '../../actors/tools/web/guarded-proxy.ts';
import { webPolicy } from '../../actors/tools/web/web-policy.ts';
import { foldersOf } from '../../platform/folders.ts';
import { rulesOf } from '../actors/tools/web/names.ts';

const runs = 5;
const pagesMore = 4;
const folder = mkdtempSync(join(tmpdir(), 'cox-bench-'));
const log = pino({ level: 'silent' });
const folders = { ...foldersOf(process.env), state: folder };
const found = await obtainBrowser({ folder: folders.cache, log });
const paragraphs = '<p>A paragraph of a page with some words in it. <a href="/x">a link</a></p>'.repeat(400);
const site = createServer((_, response) =>
  response.writeHead(200, { 'content-type': 'text/html' }).end(`<h1>Page</h1>${paragraphs}`),
);
await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
const url = `http://127.0.0.1:${(site.address() as AddressInfo).port}/`;
const { signal } = new AbortController();

/** MB of the processes below this one, with shared pages divided among those that share them. */
function childrenMb(): number {
  const stats = readdirSync('/proc').flatMap((pid) => {
    try {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
      return [{ pid: Number(pid), parent: Number(fields[1]) }];
    } catch {
      return [];
    }
  });
  const below = (parent: number): number[] =>
    stats.filter((it) => it.parent === parent).flatMap(({ pid }) => [pid, ...below(pid)]);
  const kb = (pid: number) => {
    try {
      return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0);
    } catch {
      return 0;
    }
  };
  return below(process.pid).reduce((sum, pid) => sum + kb(pid), 0) / 1_000;
}
async function ms(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await work();
  return performance.now() - from;
}
const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

const bareCold: number[] = [];
const cold: number[] = [];
const warm: number[] = [];
const bareWarm: number[] = [];
const firstMb: number[] = [];
const moreMb: number[] = [];
for (let run = 0; run < runs; run++) {
  const sandbox = process.getuid?.() !== 0;
  let bare: Awaited<ReturnType<typeof chromium.launch>> | undefined;
  const openBare = async () => (await (await bare!.newContext()).newPage()).goto(url);
  bareCold.push(
    await ms(async () => {
      bare = await chromium.launch({ executablePath: found.path, chromiumSandbox: sandbox });
      await openBare();
    }),
  );
  bareWarm.push(await ms(openBare));
  await bare!.close();

  const browsers = new Browsers({
    folders,
    env: process.env,
    log,
    kept: { read: async () => null, write: async () => 1 },
    openProxy: () => openGuardedProxy(() => webPolicy(rulesOf({ open: [url] }))),
  });
  const openOurs = async (task: number) => (await browsers.pageFor(`k3xq.${task}`, signal)).page.goto(url);
  cold.push(await ms(() => openOurs(0)));
  firstMb.push(childrenMb());
  warm.push(await ms(() => openOurs(1)));
  const before = childrenMb();
  for (let task = 2; task < 2 + pagesMore; task++) await openOurs(task);
  moreMb.push((childrenMb() - before) / pagesMore);
  await browsers.close();
}
const show = (name: string, ours: readonly number[], bare: readonly number[]) =>
  console.log(
    `${name}: ${median(ours).toFixed(0)} ms; bare playwright-core ${median(bare).toFixed(0)} ms; ${(median(ours) / median(bare)).toFixed(2)}×`,
  );
show('first page, with the start of Chromium', cold, bareCold);
show('first page of a further task', warm, bareWarm);
console.log(`with the browser running, a first page takes ${(median(warm) / median(cold)).toFixed(2)}× the time`);
console.log(
  `memory of Chromium: ${median(firstMb).toFixed(0)} MB with one page, ${median(moreMb).toFixed(0)} MB for each further one`,
);
site.closeAllConnections();
site.close();
rmSync(folder, { recursive: true, force: true });
