/**
 * The console in a real Chromium: the size of its page, the time from the link to the first tree, and the frames a second while 200
 * statuses a second come, at 1, 100 and 1,000 live sub-tasks; and the memory of the page then. `node test/bench/console.ts`;
 * COX_BENCH_SIZES (default 1,100,1000), COX_BENCH_SECONDS (default 10) for each size. Fails nothing.
 */
import { gzipSync } from 'node:zlib';
import type { CrewSession } from '../../actors/node/join.ts';
import type { Status } from '../../bus/messages.ts';
import { rootOf, type TaskId } from '../../bus/task-id.ts';
import { bundlePage } from '../../cli/console/bundle-page.ts';
import { consoleFor, openPage, startChromium } from '../support/console-page.ts';
import { testCrew } from '../support/crew.ts';
import { statusWhere } from '../support/watching.ts';

const sizes = (process.env.COX_BENCH_SIZES ?? '1,100,1000').split(',').map(Number);
const seconds = Number(process.env.COX_BENCH_SECONDS ?? 10);
const aSecond = 200;
const beatMs = 50;

for (const { name, code } of await bundlePage())
  console.log(`${name}: ${code.length} bytes, ${gzipSync(code).length} compressed`);

const crew = await testCrew();
const joined = await crew.join('bench');
// No worker takes the sub-tasks, so that nothing but the page and the statuses of this bench uses the machine.
const rosterYaml = 'supervision: { concurrency: 10000, max_tasks: 10000 }';
await crew.node(joined, { types: ['supervisor'], rosterYaml });
const browser = await startChromium();

for (const size of sizes) {
  const tasks = Array.from({ length: size }, (_, i) => ({
    key: `k${i}`,
    type: 'files',
    instruction: `Read the files of part ${i}`,
  }));
  const goal = await joined.crew.dispatch({
    type: 'supervisor',
    instruction: 'bench',
    plan: { tasks, reduce: { by: 'concat' } },
  });
  await statusWhere(joined.crew, goal, ({ subTasks }) => subTasks?.running === size);
  const opened = await consoleFor(joined);
  const { context, page } = await openPage(browser, opened.link, { viewport: { width: 1280, height: 900 } });
  const from = performance.now();
  await page.evaluate(`location.hash = '#/goal/${goal}'`);
  await page.getByRole('treeitem').nth(1).waitFor();
  const treeMs = performance.now() - from;
  const stop = beat(joined, goal, size);
  // The first second is that of the browser's compiler.
  await page.evaluate(frames(1));
  const devTools = await context.newCDPSession(page);
  const heap = async () => {
    await devTools.send('HeapProfiler.collectGarbage');
    return ((await devTools.send('Runtime.getHeapUsage')).usedSize / 1e6).toFixed(1);
  };
  const before = await heap();
  const { fps, worstMs } = await page.evaluate<{ fps: number; worstMs: number }>(frames(seconds));
  const after = await heap();
  stop();
  console.log(
    `${String(size).padStart(6)} sub-tasks: first tree ${treeMs.toFixed(0)} ms, ${fps.toFixed(1)} frames a second, longest frame ${worstMs.toFixed(0)} ms, heap ${before} → ${after} MB`,
  );
  await context.close();
  await opened.close();
  await joined.crew.steer(goal, { type: 'cancel' });
}
await browser.close();
await crew.stop();

/** Counts frames in the page. */
function frames(forSeconds: number): string {
  return `new Promise((resolve) => {
    const from = performance.now();
    let count = 0, last = from, worstMs = 0;
    requestAnimationFrame(function frame(at) {
      count++;
      worstMs = Math.max(worstMs, at - last);
      last = at;
      if (at - from < ${forSeconds * 1_000}) return requestAnimationFrame(frame);
      resolve({ fps: (count * 1000) / (at - from), worstMs });
    });
  })`;
}

/** Publishes statuses of the sub-tasks in turn, ten every 50 ms. @returns a function that ends it. */
function beat({ bus }: CrewSession, goal: TaskId, size: number): () => void {
  let turn = 0;
  const timer = setInterval(() => {
    for (let n = 0; n < (aSecond * beatMs) / 1_000; n++, turn++) {
      const id = `${rootOf(goal)}.${(turn % size) + 1}` as TaskId;
      const step = Math.floor(turn / size) + 1;
      const at = new Date().toISOString();
      const status: Status = {
        ...{ id, type: 'files', commit: step, epoch: 1, at, node: 'bench', state: turn % 3 ? 'thinking' : 'acting', step },
        ...{ backend: 'main', paused: false, question: null, receipts: [], outcome: null, lastTokenAt: at },
        usage: { inputTokens: 1_000 * step, outputTokens: 60 * step, costUsd: 0.001 * step },
      };
      bus.nc.publish(bus.subjects.of(id, 'status'), JSON.stringify(status));
    }
  }, beatMs);
  return () => clearInterval(timer);
}
