/**
 * Starts the model process and reports its end. The process also ends when its parent ends in any way, because its stdin is a
 * pipe from the parent.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { CoxError } from '../../platform/errors.ts';
import type { Log } from '../../platform/log.ts';
import { type Launch, Launched } from './launch.ts';

export interface Child {
  readonly baseUrl: string;
  readonly pid: number;
  /** Resolves when the process has ended, to the exit code or signal in words. */
  readonly ended: Promise<string>;
  stop(): Promise<void>;
}

const stderrLines = 12;

/** @throws CoxError `platform-unsupported`, `out-of-memory`, `model-unusable`, `model-crashed`; the signal's reason. */
export async function startChild(launch: Launch, log: Log, signal: AbortSignal): Promise<Child> {
  // server.ts in a checkout, server.js in a build: the same extension as this file.
  const entry = fileURLToPath(new URL(`./server.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url));
  const child = spawn(process.execPath, [entry], { stdio: ['pipe', 'pipe', 'pipe'], env: process.env, windowsHide: true });
  const errors: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    log.debug({ line }, 'model process');
    errors.push(line);
    if (errors.length > stderrLines) errors.shift();
  });
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, by) => resolve(by ? `killed by ${by}` : `exit code ${code}`));
  });
  // `close` comes after `exit`: all of stderr has been read by then.
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()).once('error', () => resolve()));
  const kill = () => child.kill('SIGKILL');
  // Without a listener, the EPIPE of a child that has already ended would crash this process.
  child.stdin.on('error', () => {});
  child.stdin.write(`${JSON.stringify(launch)}\n`);
  signal.addEventListener('abort', kill, { once: true });
  try {
    const first = await Promise.race([firstLine(child), ended.then(() => null)]);
    signal.throwIfAborted();
    if (first === null) {
      await closed;
      throw crashed(launch, await ended, errors);
    }
    const launched = Launched.parse(JSON.parse(first));
    if (launched.type === 'failed') {
      await closed;
      throw failed(launch, launched.code, launched.message, errors);
    }
    letGo(child);
    const stop = async (): Promise<void> => {
      child.ref();
      kill();
      await ended;
    };
    return { baseUrl: `http://127.0.0.1:${launched.port}/v1`, pid: child.pid ?? 0, ended, stop };
  } catch (error) {
    kill();
    await ended;
    throw error;
  } finally {
    signal.removeEventListener('abort', kill);
  }
}

async function firstLine(child: ChildProcess): Promise<string | null> {
  const lines = createInterface({ input: child.stdout! });
  const [line] = (await Promise.race([once(lines, 'line'), once(lines, 'close')])) as [string?];
  return line ?? null;
}

/** An idle model process must not keep its parent from ending: it ends after its parent. */
function letGo(child: ChildProcess): void {
  child.unref();
  for (const pipe of [child.stdin, child.stdout, child.stderr]) (pipe as { unref?: () => void } | null)?.unref?.();
}

const tail = (errors: readonly string[]): string => (errors.length > 0 ? `\nIts last output:\n  ${errors.join('\n  ')}` : '');

function crashed({ modelPath }: Launch, how: string, errors: readonly string[]): CoxError {
  // The kernel's out-of-memory killer leaves no other trace than SIGKILL.
  if (how.includes('SIGKILL'))
    return failed({ modelPath } as Launch, 'out-of-memory', `the process was ${how} while loading`, errors);
  return new CoxError('model-crashed', `The model process ended while it loaded ${modelPath}: ${how}${tail(errors)}`, {
    hint: 'Try again. If it fails again, use another model, or any OpenAI-compatible backend in roster.yaml.',
  });
}

function failed(
  { modelPath }: Launch,
  code: 'platform-unsupported' | 'out-of-memory' | 'model-unusable',
  message: string,
  errors: readonly string[],
): CoxError {
  const hints = {
    'platform-unsupported':
      'Use an OpenAI-compatible backend in roster.yaml (Ollama, LM Studio, any hosted one): llama.cpp has no build for this system.',
    'out-of-memory': 'Use model "small" or a smaller "context" for this backend, or free some memory.',
    'model-unusable':
      'Use "small", "standard", or another GGUF file. A file that is incomplete or too new for this llama.cpp cannot be loaded.',
  };
  return new CoxError(code, `The model ${modelPath} could not be loaded: ${message}${tail(errors)}`, { hint: hints[code] });
}
