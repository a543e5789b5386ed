/** Temporary state folders with the user's real cache (the server is fetched once), and terminals as processes of their own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { type EmbeddedOptions, type EmbeddedServer, openEmbeddedServer } from '../../../bus/embedded/embedded-server.ts';
import { readProcessNote, type ServerRecord, serverPaths } from '../../../bus/embedded/server-record.ts';
import { type Folders, foldersOf } from '../../../platform/folders.ts';
import { type Log, openLog } from '../../../platform/log.ts';
import { isAlive } from '../../../platform/process-identity.ts';

const root = join(import.meta.dirname, '../../..');

export class Rig {
  readonly folder = mkdtempSync(join(tmpdir(), 'cox-nats-'));
  readonly folders: Folders = { ...foldersOf(process.env), state: join(this.folder, 'state', 'coxswain') };
  readonly paths = serverPaths(this.folders);
  readonly log: Log = openLog({ folder: this.folder, verbose: false, name: 'test' });
  readonly #open: EmbeddedServer[] = [];
  readonly #terminals: Terminal[] = [];

  options(changes: Partial<EmbeddedOptions> = {}): EmbeddedOptions {
    return { folders: this.folders, env: process.env, log: this.log, ...changes };
  }

  async open(changes: Partial<EmbeddedOptions> = {}): Promise<EmbeddedServer> {
    const server = await openEmbeddedServer(this.options(changes));
    this.#open.push(server);
    return server;
  }

  async terminal(): Promise<Terminal> {
    const terminal = await Terminal.start(this.folder);
    this.#terminals.push(terminal);
    return terminal;
  }

  record(): ServerRecord {
    return JSON.parse(readFileSync(this.paths.record, 'utf8'));
  }

  /** Ends every process and removes every file of the test. */
  async dispose(): Promise<void> {
    await Promise.all(this.#terminals.map((terminal) => terminal.killed()));
    for (const server of this.#open) await server.stop();
    // Killed terminals leave their server running. It may have been replaced since, so ask the file that names it.
    const note = readProcessNote(this.paths);
    const pids = this.#open
      .map((server) => server.pid)
      .concat(
        this.#terminals.map((terminal) => terminal.serverPid),
        note?.pid ?? [],
      );
    for (const pid of pids) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** See terminal.ts. */
export class Terminal {
  readonly url: string;
  readonly serverPid: number;
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;
  readonly #lines: Interface;

  private constructor(child: ChildProcess, lines: Interface, answers: AsyncIterator<string>, first: string) {
    this.#child = child;
    this.#lines = lines;
    this.#answers = answers;
    ({ url: this.url, serverPid: this.serverPid } = JSON.parse(first));
  }

  static async start(folder: string): Promise<Terminal> {
    const env = {
      ...process.env,
      XDG_CACHE_HOME: join(foldersOf(process.env).cache, '..'),
      XDG_STATE_HOME: join(folder, 'state'),
    };
    const node = join(root, 'node_modules/.bin/node');
    const child = spawn(node, [join(import.meta.dirname, 'terminal.ts')], { env, stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: child.stdout! });
    const answers = lines[Symbol.asyncIterator]();
    const first = await answers.next();
    if (first.done) throw new Error('the terminal ended at once');
    return new Terminal(child, lines, answers, first.value);
  }

  /** Sends a command and waits for its one-line answer. */
  async ask(command: string): Promise<string> {
    this.#child.stdin!.write(`${command}\n`);
    const { value, done } = await this.#answers.next();
    if (done) throw new Error(`the terminal ended at "${command}"`);
    return value;
  }

  async leave(): Promise<void> {
    const exit = once(this.#child, 'exit');
    this.#child.stdin!.end('leave\n');
    await exit;
    this.#lines.close();
  }

  async killed(): Promise<void> {
    const exit = once(this.#child, 'exit');
    if (this.#child.exitCode === null && this.#child.signalCode === null && this.#child.kill('SIGKILL')) await exit;
  }
}
