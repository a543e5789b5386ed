/** Runs a program of this machine to its end, such as pip or npm, and keeps the end of its stderr for the error message. */
import { spawn } from 'node:child_process';
import { endingOf } from './cut.ts';
import { codeOf } from './errors.ts';

const stderrTailChars = 4_000;

export interface CommandOptions {
  readonly env: NodeJS.ProcessEnv;
  /** An abort ends the program. */
  readonly signal: AbortSignal;
  /** Default: the current folder. */
  readonly cwd?: string;
}

export interface Outcome {
  /** The exit code: 127 if there is no such program, 126 if it could not be started, null if a signal ended it. */
  readonly code: number | null;
  /** The last 4,000 characters of stderr. */
  readonly stderr: string;
}

/** Runs a program without a shell and without stdin. Rejects only with the signal's reason, after the program has ended. */
export function runCommand([file, ...args]: readonly string[], { env, signal, cwd }: CommandOptions): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const child = spawn(file!, args, { env, cwd, stdio: ['ignore', 'ignore', 'pipe'], signal, windowsHide: true });
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
