/** Time from nothing to the prompt, warm (caches filled), against a bare Node start in the same run. `npm run bench:start`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = await mkdtemp(join(tmpdir(), 'cox-bench-'));
const env = {
  ...process.env,
  XDG_STATE_HOME: folder,
  XDG_CONFIG_HOME: folder,
  NATS_URL: undefined,
} as unknown as NodeJS.ProcessEnv;
const main = join(import.meta.dirname, '../../cli/main.ts');

async function timed(args: string[], until: (text: string) => boolean): Promise<number> {
  const from = performance.now();
  const child = spawn(process.execPath, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
  let text = '';
  let at = 0;
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data) => {
      text += data;
      if (at === 0 && until(text)) {
        at = performance.now() - from;
        child.stdin.end('/quit\n');
      }
    });
  const gone = once(child, 'exit');
  if (args[0] === '-e') child.stdin.end();
  await gone;
  return at || performance.now() - from;
}

const bare: number[] = [];
const prompt: number[] = [];
for (let i = 0; i < 7; i++) {
  bare.push(await timed(['-e', '0'], () => false));
  prompt.push(await timed([main, 'start'], (text) => text.includes('/help')));
}
const median = (values: number[]) => values.slice(1).sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? 0;
console.log(
  `bare Node ${median(bare).toFixed(0)} ms (1.0×); prompt shown ${median(prompt).toFixed(0)} ms (${(median(prompt) / median(bare)).toFixed(1)}×)`,
);
await rm(folder, { recursive: true, force: true });
