/**
 * Time from process start to the prompt on a terminal, and to a first stored task, with warm caches, against a bare Node start in
 * the same run. `npm run bench:start`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from '@lydell/node-pty';

const folder = await mkdtemp(join(tmpdir(), 'cox-bench-'));
const env = { ...process.env, XDG_STATE_HOME: folder, XDG_CONFIG_HOME: folder, NATS_URL: '' } as Record<string, string>;
delete env.NATS_URL;
const main = join(import.meta.dirname, '../../cli/main.ts');

/** Milliseconds until `shown` is on the screen. Then tells the program to leave and waits for that. */
async function timed(args: string[], shown: string): Promise<number> {
  const from = performance.now();
  const terminal = spawn(process.execPath, args, { env, cols: 100, rows: 30 });
  let text = '';
  let at = 0;
  terminal.onData((data) => {
    text += data;
    if (at > 0 || !text.includes(shown)) return;
    at = performance.now() - from;
    terminal.write('/quit\r');
  });
  await new Promise((resolve) => terminal.onExit(resolve));
  return at;
}

const runs = 9;
const bare: number[] = [];
const prompt: number[] = [];
const task: number[] = [];
for (let i = 0; i < runs; i++) {
  bare.push(await timed(['-e', 'console.log("here")'], 'here'));
  prompt.push(await timed([main, 'start'], 'cox>'));
  task.push(await timed([main, 'dispatch', 'files', 'later'], '.0'));
}
const median = (values: number[]) => values.slice(1).sort((a, b) => a - b)[(runs - 1) / 2] ?? 0;
const [base, ours, stored] = [median(bare), median(prompt), median(task)];
console.log(
  `bare Node ${base.toFixed(0)} ms (1.0×); prompt shown ${ours.toFixed(0)} ms (${(ours / base).toFixed(1)}×); first task stored, server started for it: ${stored.toFixed(0)} ms (${(stored / base).toFixed(1)}×)`,
);
await rm(folder, { recursive: true, force: true });
