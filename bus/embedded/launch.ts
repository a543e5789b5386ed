/** Starts a nats-server that outlives the terminal that started it, and ends a nats-server. Callers hold the server lock. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { endingOf } from '../../platform/cut.ts';
import { CoxError, codeOf, messageOf, storageError } from '../../platform/errors.ts';
import type { Log } from '../../platform/log.ts';
import { isAlive, startOf } from '../../platform/process-identity.ts';
import { isNewEnough, tooOld } from '../server-version.ts';
import { livePageUsers } from './page-users-file.ts';
import { probe } from './probe.ts';
import type { ServerBinary } from './server-binary.ts';
import { type Credentials, newServerName, serverConfig } from './server-config.ts';
import {
  removeRecord,
  type ServerPaths,
  type ServerRecord,
  writePrivately,
  writeProcessNote,
  writeRecord,
} from './server-record.ts';

export interface Launch {
  readonly paths: ServerPaths;
  readonly binary: ServerBinary;
  readonly credentials: Credentials;
  /** Port to try first, so that the clients of a server that died find its successor. Null: any free port. */
  readonly port: number | null;
  /** The same for WebSockets: an open page of a console may connect to no other port. */
  readonly websocketPort: number | null;
  readonly syncAlways: boolean;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Longest time in ms until a new server announces its port. Reading a store with millions of messages takes long. */
const readyTimeoutMs = 60_000;
const stopTimeoutMs = 15_000;
const killTimeoutMs = 5_000;
const quickPollMs = 3;
const slowPollMs = 25;
const quickPolls = 60;
const tailChars = 2_000;

/** @throws CoxError `nats-start-failed`, `nats-too-old`, `no-space`, `read-only`, `storage-failed`; the reason of `signal`. */
export async function launch(options: Launch): Promise<ServerRecord> {
  const first = await launchOn(options, options);
  if (first !== 'port-taken') return first;
  options.log.warn({ port: options.port }, 'the port of the server that died is in use: choosing another one');
  const second = await launchOn({ port: null, websocketPort: null }, options);
  if (second !== 'port-taken') return second;
  throw new CoxError('nats-start-failed', 'There is no free port on 127.0.0.1 for the embedded server', {
    hint: 'A program uses all ports of this machine; find it with "ss -s", or name a running server with NATS_URL.',
  });
}

async function launchOn(
  { port, websocketPort }: Pick<Launch, 'port' | 'websocketPort'>,
  options: Launch,
): Promise<ServerRecord | 'port-taken'> {
  const { paths, binary, credentials, syncAlways, log, signal } = options;
  signal.throwIfAborted();
  const serverName = newServerName();
  const pageUsers = livePageUsers(paths);
  const settings = { port, websocketPort, serverName, credentials, pageUsers, syncAlways };
  writePrivately(paths, paths.config, serverConfig(paths, settings));
  const child = start(binary, paths);
  const ended = endOf(child);
  try {
    const pid = child.pid;
    if (pid === undefined) throw startFailed(binary, paths, messageOf((await ended).error));
    const pidStart = startOf(pid);
    writeProcessNote(paths, { pid, start: pidStart });
    const ready = await portOf(pid, paths, ended, signal);
    if (ready === 'ended') {
      if (port !== null && /address already in use/i.test(lastWords(paths))) return 'port-taken';
      throw startFailed(binary, paths, await ended.then(describeEnd));
    }
    if (ready === 'timeout') throw startFailed(binary, paths, `it did not announce a port within ${readyTimeoutMs / 1000} s`);
    const answer = await probe(ready.port, stopTimeoutMs);
    if (answer.kind !== 'nats' || answer.serverName !== serverName)
      throw startFailed(binary, paths, `another program answers on its port ${ready.port}`);
    if (!isNewEnough(answer.version)) throw tooOld(answer.version, binary.path);

    const url = `nats://127.0.0.1:${ready.port}`;
    const startedAt = new Date().toISOString();
    const { version } = answer;
    const record = { url, ...ready, ...credentials, serverName, pid, pidStart, version, binary: binary.path, startedAt };
    writeRecord(paths, record);
    child.removeAllListeners();
    child.unref();
    log.info({ server: pid, ...ready, version, binary: binary.path, syncAlways }, 'embedded nats-server started');
    return record;
  } catch (error) {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await ended;
    removeRecord(paths);
    throw error;
  }
}

/**
 * Detached, so that Ctrl-C and the end of the terminal do not end the server. Without our environment, which may contain secrets.
 */
function start(binary: ServerBinary, paths: ServerPaths): ChildProcess {
  let stderr: number | null = null;
  try {
    rmSync(paths.ports, { recursive: true, force: true });
    rmSync(paths.log, { force: true });
    mkdirSync(paths.ports, { recursive: true, mode: 0o700 });
    mkdirSync(paths.data, { recursive: true, mode: 0o700 });
    stderr = openSync(paths.stderr, 'w', 0o600);
    const env = process.platform === 'win32' ? { SystemRoot: process.env.SystemRoot } : {};
    return spawn(binary.path, ['--config', paths.config], {
      cwd: paths.folder,
      detached: true,
      env,
      stdio: ['ignore', stderr, stderr],
      windowsHide: true,
    });
  } catch (error) {
    throw storageError(error, paths.folder, 'starting the embedded server');
  } finally {
    if (stderr !== null) closeSync(stderr);
  }
}

interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly error: unknown;
}

const endOf = (child: ChildProcess): Promise<End> =>
  new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal, error: null }));
    child.once('error', (error) => {
      if (child.pid === undefined) resolve({ code: null, signal: null, error });
    });
  });

const describeEnd = ({ code, signal, error }: End): string =>
  error ? messageOf(error) : signal ? `it was ended by ${signal}` : `it ended with code ${code}`;

type Ports = Pick<ServerRecord, 'port' | 'websocketPort'>;

/** Polls for the file `<program>_<pid>.ports`, which the server writes once it accepts clients. It sends no other signal. */
async function portOf(
  pid: number,
  paths: ServerPaths,
  ended: Promise<End>,
  signal: AbortSignal,
): Promise<Ports | 'ended' | 'timeout'> {
  let hasEnded = false;
  void ended.then(() => {
    hasEnded = true;
  });
  const deadline = performance.now() + readyTimeoutMs;
  for (let polls = 0; performance.now() < deadline; polls += 1) {
    signal.throwIfAborted();
    const ports = announcedPorts(pid, paths);
    if (ports !== null) return ports;
    if (hasEnded) return 'ended';
    await Promise.race([delay(polls < quickPolls ? quickPollMs : slowPollMs), ended]);
  }
  return 'timeout';
}

/** @returns null while the file is missing or incomplete. */
function announcedPorts(pid: number, paths: ServerPaths): Ports | null {
  try {
    const name = readdirSync(paths.ports).find((file) => file.endsWith(`_${pid}.ports`));
    if (!name) return null;
    const text = readFileSync(join(paths.ports, name), 'utf8');
    const portOfScheme = (scheme: string) => Number(new RegExp(`"${scheme}://127\\.0\\.0\\.1:(\\d+)"`).exec(text)?.[1] ?? 0);
    const [port, websocketPort] = [portOfScheme('nats'), portOfScheme('ws')];
    return port && websocketPort ? { port, websocketPort } : null;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw storageError(error, paths.ports, 'reading the port of the embedded server');
  }
}

/** The last output of the server: its stderr followed by its log. */
function lastWords(paths: ServerPaths): string {
  const texts = [paths.stderr, paths.log].map((path) => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return '';
    }
  });
  return endingOf(texts.join('').trim(), tailChars);
}

function startFailed(binary: ServerBinary, paths: ServerPaths, why: string): CoxError {
  const words = lastWords(paths);
  const said = words.split('\n').filter((line) => /\[(FTL|ERR)\]/.test(line) || !/^\[\d+\]/.test(line));
  const cause = said.slice(-5).join('\n');
  if (/no space left on device/i.test(words))
    return new CoxError('no-space', `The disk with ${paths.folder} is too full for the embedded nats-server`, {
      hint: 'Free some space there, or set XDG_STATE_HOME to a folder on another disk.',
    });
  return new CoxError(
    'nats-start-failed',
    `The embedded nats-server (${binary.path}) did not start: ${why}${cause && `\n${cause}`}`,
    {
      hint: `Its log is ${paths.log}. "cox doctor" shows which nats-server is used; COX_NATS_SERVER names another one.`,
    },
  );
}

/** Sends SIGTERM and, after 15 s, SIGKILL; waits until the process is gone. The caller ensures that the process is ours. */
export async function terminate({ pid, start }: { pid: number; start: string | null }): Promise<void> {
  for (const [signal, timeoutMs] of [
    ['SIGTERM', stopTimeoutMs],
    ['SIGKILL', killTimeoutMs],
  ] as const) {
    if (!isAlive(pid, start)) return;
    try {
      process.kill(pid, signal);
    } catch (error) {
      if (codeOf(error) !== 'ESRCH') throw error;
    }
    const deadline = performance.now() + timeoutMs;
    while (isAlive(pid, start) && performance.now() < deadline) await delay(quickPollMs);
  }
}
