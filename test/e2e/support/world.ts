/**
 * One machine for one test: temporary XDG folders, a scripted model, a roster that names it, and `cox` in any number of
 * terminals.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readProcessNote, serverPaths } from '../../../bus/embedded/server-record.ts';
import { foldersOf } from '../../../platform/folders.ts';
import { isAlive } from '../../../platform/process-identity.ts';
import { type ModelCall, ModelServer } from '../../support/model-server.ts';
import { patienceMs, Terminal, type TerminalOptions } from './terminal.ts';

export const entry = fileURLToPath(new URL('../../../cli/main.ts', import.meta.url));

/** The time in which processes that were told to leave must have left. */
const leavePatienceMs = 60_000;

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class Running {
  stdout = '';
  stderr = '';
  readonly process: ChildProcessWithoutNullStreams;
  readonly ended: Promise<Ended>;
  readonly #waiting = new Set<() => void>();

  constructor(process: ChildProcessWithoutNullStreams) {
    this.process = process;
    const heard = (stream: 'stdout' | 'stderr') => (data: string) => {
      this[stream] += data;
      for (const look of this.#waiting) look();
    };
    process.stdout.setEncoding('utf8').on('data', heard('stdout'));
    process.stderr.setEncoding('utf8').on('data', heard('stderr'));
    process.stdin.on('error', () => {});
    this.ended = new Promise((resolve) =>
      process.on('close', (code) => resolve({ code, stdout: this.stdout, stderr: this.stderr })),
    );
  }

  async says(stream: 'stdout' | 'stderr', fits: RegExp): Promise<RegExpExecArray> {
    const { promise, resolve, reject } = Promise.withResolvers<RegExpExecArray>();
    const look = () => {
      const match = fits.exec(this[stream]);
      if (match) resolve(match);
    };
    this.#waiting.add(look);
    look();
    const all = () => `stdout:\n${this.stdout}\nstderr:\n${this.stderr}`;
    void this.ended.then(({ code }) => reject(new Error(`ended with ${code} before ${stream} said ${fits}\n${all()}`)));
    const late = setTimeout(() => reject(new Error(`${stream} never said ${fits}\n${all()}`)), patienceMs);
    try {
      return await promise;
    } finally {
      clearTimeout(late);
      this.#waiting.delete(look);
    }
  }
}

export class World {
  readonly folder: string;
  readonly workspace: string;
  readonly env: NodeJS.ProcessEnv;
  readonly model: ModelServer;
  readonly #running: Running[] = [];
  readonly #terminals: Terminal[] = [];
  #log = '';

  private constructor(folder: string, model: ModelServer) {
    this.folder = folder;
    this.workspace = join(folder, 'workspace');
    this.model = model;
    const { NATS_URL: _url, NO_COLOR: _color, COX_NAMESPACE: _namespace, FORCE_COLOR: _force, ...env } = process.env;
    this.env = {
      ...env,
      XDG_STATE_HOME: join(folder, 'state'),
      XDG_CONFIG_HOME: join(folder, 'config'),
      COX_ROSTER: join(folder, 'roster.yaml'),
    };
  }

  /** Uses the cache of the real machine: the nats-server binary is downloaded once. */
  static async make(): Promise<World> {
    const world = new World(await mkdtemp(join(tmpdir(), 'cox-e2e-')), await ModelServer.start());
    await world.roster();
    const { mkdir } = await import('node:fs/promises');
    await mkdir(world.workspace);
    return world;
  }

  get state(): string {
    return foldersOf(this.env).state;
  }

  roster(more = ''): Promise<void> {
    const url = this.model.url;
    return writeFile(
      join(this.folder, 'roster.yaml'),
      `backends:
  main: { base_url: "${url}", model: scripted, tier: local, good_at: [files, reasoning, plan, extract, summarize], can_orchestrate: true, concurrency: 64 }
  other: { base_url: "${url}", model: other, tier: local, good_at: [spare] }
limits: { retries: 0, breaker_failures: 1000 }
${more}`,
    );
  }

  start(args: readonly string[], { env = {}, stdin = '' }: { env?: NodeJS.ProcessEnv; stdin?: string | null } = {}): Running {
    const child = spawn(process.execPath, [entry, ...args], { cwd: this.workspace, env: { ...this.env, ...env } });
    const running = new Running(child);
    this.#running.push(running);
    if (stdin !== null) child.stdin.end(stdin);
    return running;
  }

  cox(args: readonly string[], options: { env?: NodeJS.ProcessEnv; stdin?: string } = {}): Promise<Ended> {
    return this.start(args, options).ended;
  }

  /** The one object that a command with `--json` prints. */
  async json<T>(
    args: readonly string[],
    options: { env?: NodeJS.ProcessEnv; stdin?: string } = {},
  ): Promise<{ code: number | null; value: T }> {
    const { code, stdout, stderr } = await this.cox([...args, '--json'], options);
    try {
      return { code, value: JSON.parse(stdout) as T };
    } catch {
      throw new Error(`not one JSON object: ${JSON.stringify(stdout)}\n${stderr}`);
    }
  }

  terminal(
    args: readonly string[] = [],
    size: { columns?: number; rows?: number; term?: string; env?: NodeJS.ProcessEnv } = {},
  ): Terminal {
    const { env = {}, ...rest } = size;
    return this.#open({ command: process.execPath, args: [entry, ...args], env: { ...this.env, ...env }, ...rest });
  }

  /** A shell with job control, in which `$COX_COMMAND` starts the prompt. */
  shell(): Terminal {
    const env = { ...this.env, PS1: '$ ', HISTFILE: '', COX_COMMAND: `${process.execPath} ${entry}` };
    return this.#open({ command: 'bash', args: ['--norc', '--noprofile', '-i'], env });
  }

  #open(options: Omit<TerminalOptions, 'cwd'>): Terminal {
    const terminal = new Terminal({ ...options, cwd: this.workspace });
    this.#terminals.push(terminal);
    return terminal;
  }

  async stop(): Promise<void> {
    for (const { process } of this.#running) if (process.exitCode === null) process.kill('SIGTERM');
    // A half-typed line is removed first, because Ctrl-C leaves only on an empty one.
    for (const terminal of this.#terminals) terminal.type('\u0005\u0015');
    for (const terminal of this.#terminals) terminal.interrupt();
    for (const terminal of this.#terminals) terminal.interrupt();
    // At the prompt the first Ctrl-C may have cleared the typed line, and Ctrl-D leaves.
    for (const terminal of this.#terminals) terminal.type('\u0004');
    const patience = setTimeout(() => this.#kill(), leavePatienceMs);
    await Promise.all([...this.#running.map(({ ended }) => ended), ...this.#terminals.map(({ exited }) => exited)]);
    clearTimeout(patience);
    this.#log = await readFile(join(this.state, 'log', 'cox.log'), 'utf8').catch(() => '');
    await this.model.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** For a failed test: all output, model calls and the log. */
  story(): string {
    const calls = this.model.calls.map(
      (call) => `  ${call.texts('system')[0]?.slice(0, 40)} | ${call.texts('user').at(-1)?.slice(0, 60)}`,
    );
    return [
      ...this.#running.map(
        (it) => `${it.process.spawnargs.slice(2).join(' ')} → ${it.process.exitCode}
${it.stdout}
${it.stderr}`,
      ),
      ...this.#terminals.map((terminal) => `terminal:\n${terminal.lines.join('\n')}`),
      `model calls:\n${calls.join('\n')}`,
      `log:\n${this.#log.split('\n').slice(-80).join('\n')}`,
    ].join('\n\n');
  }

  #kill(): void {
    for (const { process } of this.#running) process.kill('SIGKILL');
    for (const terminal of this.#terminals) terminal.kill();
    // No terminal is left to end the server.
    const server = readProcessNote(serverPaths(foldersOf(this.env)));
    if (server && isAlive(server.pid, server.start)) process.kill(server.pid, 'SIGKILL');
  }
}

export const isPlanning = (call: ModelCall): boolean => call.texts('system')[0]?.startsWith('You split a goal') === true;
export const isReducing = (call: ModelCall): boolean => call.texts('system')[0]?.startsWith('You put the results') === true;
export const isPrimary = (call: ModelCall): boolean => call.texts('system')[0]?.startsWith('You are the primary agent') === true;
export const isWorking = (call: ModelCall): boolean => !isPlanning(call) && !isReducing(call) && !isPrimary(call);

/** A plan with one sub-task for each key, all of one type, without dependencies. */
export const planOf = (keys: readonly string[], type = 'reasoning'): string =>
  JSON.stringify({
    tasks: keys.map((key) => ({ key, type, instruction: `Do ${key}`, needs: [], after: [] })),
    final: 'Put them together.',
  });
