/** Node's package installer, used only to install a locked set of packages. It runs no code from them. */
import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { CoxError } from './errors.ts';
import { runCommand } from './run-command.ts';

/** npm's own pauses between the tries of a request are 10 s and 60 s: too long for somebody who waits at a prompt. */
const quickRetries = ['--fetch-retries=2', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=5000'];

/** npm's own failure, in its own words. */
export class NpmFailed extends Error {
  override readonly name = 'NpmFailed';
  /** npm's code, such as `EINTEGRITY`, `ENOTFOUND` or `ENOSPC`; empty if it named none. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export class Npm {
  readonly #command: readonly string[];
  readonly #env: NodeJS.ProcessEnv;

  private constructor(command: readonly string[], env: NodeJS.ProcessEnv) {
    this.#command = command;
    this.#env = env;
  }

  /** The npm on the PATH of `env`, else the one that came with this Node, else null. */
  static find(env: NodeJS.ProcessEnv): Npm | null {
    const isWindows = process.platform === 'win32';
    for (const folder of (env.PATH ?? env.Path ?? '').split(delimiter).filter(Boolean)) {
      // npm on Windows is a .cmd file, which only a shell can start; the script behind it needs none.
      const script = join(folder, 'node_modules/npm/bin/npm-cli.js');
      if (isWindows && existsSync(script)) return new Npm([process.execPath, script], env);
      if (!isWindows && existsSync(join(folder, 'npm'))) return new Npm([join(folder, 'npm')], env);
    }
    const beside = join(dirname(process.execPath), isWindows ? '' : '../lib', 'node_modules/npm/bin/npm-cli.js');
    return existsSync(beside) ? new Npm([process.execPath, beside], env) : null;
  }

  /**
   * Installs what the package-lock.json in `folder` names, checked by the hashes in it, without development dependencies.
   * @throws NpmFailed; CoxError `no-npm` if npm cannot be started; the signal's reason.
   */
  async install(folder: string, signal: AbortSignal): Promise<void> {
    const quiet = ['--no-audit', '--no-fund', '--no-progress', '--no-update-notifier', '--loglevel=error'];
    const { code, stderr } = await runCommand(
      // The scripts of a package would be code of others that runs unasked.
      [...this.#command, 'ci', '--ignore-scripts', '--omit=dev', '--engine-strict=false', ...quickRetries, ...quiet],
      { env: withoutProject(this.#env), signal, cwd: folder },
    );
    if (code === 0) return;
    if (code === 126 || code === 127) throw noNpm(`${this.#command.join(' ')}: ${stderr}`);
    const [, npmCode = ''] = /^npm (?:error|ERR!) code (\S+)$/m.exec(stderr) ?? [];
    throw new NpmFailed(npmCode, `npm ended with ${npmCode || `code ${code}`}: ${wordsOf(stderr)}`);
  }
}

export const noNpm = (found: string): CoxError =>
  new CoxError('no-npm', `npm is needed to fetch packages, and is not on this machine (${found})`, {
    hint: 'Install Node with npm from https://nodejs.org or by the package manager of this system, then try again.',
  });

/** When cox itself was started by npm, npm's variables about that project would direct an npm that works on another one. */
function withoutProject(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const ours =
    /^npm_(package|lifecycle|command|execpath|node_execpath|config_(global|local_prefix|prefix|workspaces?|omit|include))/i;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !ours.test(name)));
}

/** The first sentences of npm's complaint, without its prefix and without the path of its log. */
function wordsOf(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.replace(/^npm (error|ERR!) ?/, '').trim());
  const telling = lines.filter((line) => line && !/^(code|errno|syscall|path) |complete log of this run|\.log$/.test(line));
  return telling.slice(0, 2).join(' ') || 'it said nothing';
}
