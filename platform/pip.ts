/** Python's package installer, used only to download wheels. It fetches no dependencies and runs no code from them. */
import { spawn } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Wheel } from './asset.ts';
import { endingOf } from './cut.ts';
import { codeOf } from './errors.ts';

const candidates: readonly (readonly string[])[] =
  process.platform === 'win32'
    ? [['py', '-m', 'pip'], ['python', '-m', 'pip'], ['pip']]
    : [['pip'], ['python3', '-m', 'pip'], ['pip3'], ['python', '-m', 'pip']];

const progressPollMs = 250;
/** pip itself retries a request without an answer, but not a transfer that breaks off in the middle. */
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
    throw new Error('no pip on this machine to fetch Python packages (looked for pip, pip3 and python3 -m pip)');
  }

  /**
   * Puts one `.whl` into `folder` and reports the bytes that have arrived.
   * @throws Error with pip's last line; its `code` is `ENOSPC` if the disk is full.
   */
  async download(
    wheel: Wheel,
    folder: string,
    { signal, onBytes }: { signal: AbortSignal; onBytes: (loaded: number) => void },
  ): Promise<void> {
    const watch = setInterval(() => onBytes(largestFileIn(folder)), progressPollMs);
    try {
      for (let left = mostTries - 1; ; left--) {
        const { code, stderr } = await run(
          // Without --only-binary a source package would run its set-up code. Without --no-cache-dir pip would keep a second
          // copy.
          [...this.#command, 'download', '--quiet', '--disable-pip-version-check', '--no-input', '--no-cache-dir', '--no-deps']
            .concat(['--only-binary', ':all:', '--ignore-requires-python', '--dest', folder])
            .concat(wheel.platform ? ['--platform', wheel.platform] : [])
            .concat(`${wheel.name}==${wheel.version}`),
          // pip downloads into its temporary folder, so that folder must be on the disk that was checked for space.
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

/** Runs a command. A command that does not exist ends with code 127. Rejects only with the signal's reason. */
function run([file, ...args]: readonly string[], env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const child = spawn(file!, args, { env, stdio: ['ignore', 'ignore', 'pipe'], signal, windowsHide: true });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = endingOf(stderr + text, stderrTailChars);
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

/**
 * pip writes the growing file into a subfolder and briefly keeps two copies of it, so the largest file counts and not the sum.
 */
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
