/** A peer's server as a child process: started, waited for until it answers, and ended with the contender. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Surroundings } from './contender.ts';

export interface ServerCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly options?: SpawnOptions;
  /** Resolves when the server is ready; throws while it is not. */
  readonly ready: () => Promise<unknown>;
}

const startPatienceMs = 60_000;
const askEveryMs = 50;
const stopPatienceMs = 15_000;

/** @throws Error with the end of the server's log, when it exits or is not ready within a minute. */
export async function startServer(
  { program, args, options, ready }: ServerCommand,
  { folder, signal, ends }: Surroundings,
): Promise<void> {
  const logFile = join(folder, 'server.log');
  const log = createWriteStream(logFile);
  await once(log, 'open');
  signal.throwIfAborted();
  const child = spawn(program, args, { cwd: folder, ...options, stdio: ['ignore', log, log] });
  let failed: Error | null = null;
  child.on('error', (error) => {
    failed = error;
  });
  ends.defer(async () => {
    await ended(child);
    log.close();
  });
  const until = performance.now() + startPatienceMs;
  for (;;) {
    signal.throwIfAborted();
    try {
      await ready();
      return;
    } catch (cause) {
      const over = failed ?? (child.exitCode !== null || performance.now() > until ? cause : null);
      if (over) throw new Error(`${program} did not start: ${readFileSync(logFile, 'utf8').slice(-600)}`, { cause: over });
    }
    await delay(askEveryMs);
  }
}

/** Sends SIGTERM, and SIGKILL after 15 s. Idempotent. */
async function ended(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), stopPatienceMs);
  await exit;
  clearTimeout(timer);
}

/**
 * Free ports for servers that cannot report a port of their own. Another process may take one first; then the server fails to
 * start.
 */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}
