/** Python's package installer, used only to download wheels. It fetches no dependencies and runs no code from them. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Wheel } from './asset.ts';
import { runCommand } from './run-command.ts';

const candidates: readonly (readonly string[])[] =
  process.platform === 'win32'
    ? [['py', '-m', 'pip'], ['python', '-m', 'pip'], ['pip']]
    : [['pip'], ['python3', '-m', 'pip'], ['pip3'], ['python', '-m', 'pip']];

const progressPollMs = 250;
/** pip itself retries a request without an answer, but not a transfer that breaks off in the middle. */
const mostTries = 3;
const againMs = 1_000;

export class Pip {
  readonly #command: readonly string[];
  readonly #env: NodeJS.ProcessEnv;

  private constructor(command: readonly string[], env: NodeJS.ProcessEnv) {
    this.#command = command;
    this.#env = env;
  }

  static async find(env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<Pip> {
    for (const command of candidates) {
      const outcome = await runCommand([...command, '--version'], { env, signal });
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
        const { code, stderr } = await runCommand(
          // Without --only-binary a source package would run its set-up code. Without --no-cache-dir pip would keep a second
          // copy.
          [...this.#command, 'download', '--quiet', '--disable-pip-version-check', '--no-input', '--no-cache-dir', '--no-deps']
            .concat(['--only-binary', ':all:', '--ignore-requires-python', '--dest', folder])
            .concat(wheel.platform ? ['--platform', wheel.platform] : [])
            .concat(`${wheel.name}==${wheel.version}`),
          // pip downloads into its temporary folder, so that folder must be on the disk that was checked for space.
          { env: { ...this.#env, TMPDIR: folder, TEMP: folder, TMP: folder }, signal },
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
