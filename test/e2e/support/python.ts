/** Python with nats-py, fetched once into the machine's cache. */
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { foldersOf } from '../../../platform/folders.ts';

const natsPy = 'nats-py==2.16.0';
const script = fileURLToPath(new URL('./operator.py', import.meta.url));

/** The folder to import from, or why there is none. @throws Error for every other failure than a missing python3 with pip. */
export async function pythonWithNats(): Promise<{ packages: string } | { missing: string }> {
  const run = promisify(execFile);
  try {
    await run('python3', ['-m', 'pip', '--version']);
  } catch {
    return { missing: 'no python3 with pip on this machine' };
  }
  const packages = join(foldersOf(process.env).cache, 'test', natsPy);
  if (!existsSync(packages)) {
    await mkdir(dirname(packages), { recursive: true });
    const draft = await mkdtemp(`${packages}-`);
    try {
      const install = () => run('python3', ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', draft, natsPy]);
      // The registry may break off once.
      await install().catch(install);
      // Another run may have installed it first.
      await rename(draft, packages).catch(() => {});
    } finally {
      await rm(draft, { recursive: true, force: true });
    }
  }
  return { packages };
}

export interface Bus {
  readonly url: string;
  readonly user: string;
  readonly password: string;
}

/** Publishes `payload` to a task as a plain client does. Resolves with its receipts, the last one final. */
export function publishAsStranger(packages: string, { url, user, password }: Bus, task: string, payload: string | Buffer) {
  const child = spawn('python3', [script, url, user, password, task], {
    env: { ...process.env, PYTHONPATH: packages },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(payload);
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (data: string) => {
    said += data;
  });
  return new Promise<Record<string, unknown>[]>((resolve, reject) =>
    child.on('error', reject).on('close', (code) => {
      if (code === 0)
        resolve(
          said
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line) as Record<string, unknown>),
        );
      else reject(new Error(`the stranger ended with ${code}: ${said}`));
    }),
  );
}
