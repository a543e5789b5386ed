/** A nats-server as docs/operations.md sets it up for a crew with roles: its configuration includes the accounts. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { pino } from 'pino';
import { obtainServerBinary } from '../../bus/embedded/obtain-binary.ts';
import { foldersOf } from '../../platform/folders.ts';

export class OwnServer {
  readonly #process: ChildProcess;
  readonly #lines: Interface;
  #urls = { tcp: '', websocket: '' };

  private constructor(process: ChildProcess) {
    this.#process = process;
    this.#lines = createInterface({ input: process.stderr! });
  }

  /** @param accounts path of the file to include. */
  static async start(folder: string, accounts: string): Promise<OwnServer> {
    const { path } = await obtainServerBinary({
      folders: foldersOf(process.env),
      env: process.env,
      log: pino({ level: 'silent' }),
    });
    const config = join(folder, 'nats-server.conf');
    const jetstream = `jetstream { store_dir: ${JSON.stringify(join(folder, 'data'))} }`;
    const web = 'websocket { listen: "127.0.0.1:-1", no_tls: true }';
    writeFileSync(config, `listen: "127.0.0.1:-1"\n${jetstream}\n${web}\ninclude ${accounts}\n`);
    const server = new OwnServer(spawn(path, ['--config', config], { stdio: ['ignore', 'ignore', 'pipe'] }));
    await server.#started();
    return server;
  }

  get url(): string {
    return this.#urls.tcp;
  }
  get websocketUrl(): string {
    return this.#urls.websocket;
  }

  /** Has the server load its configuration again, and waits until it has. */
  async reload(): Promise<void> {
    const reloaded = this.#line(/Reloaded server configuration/);
    this.#process.kill('SIGHUP');
    await reloaded;
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null) return;
    const exit = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await exit;
  }

  async #started(): Promise<void> {
    const said: string[] = [];
    this.#lines.on('line', (line) => said.push(line));
    const ended = once(this.#process, 'exit').then(() => {
      throw new Error(`the server did not start:\n${said.join('\n')}`);
    });
    ended.catch(() => {});
    const started = Promise.all([
      this.#line(/Listening for client connections on (127\.0\.0\.1:\d+)/),
      this.#line(/Listening for websocket clients on ws:\/\/(127\.0\.0\.1:\d+)/),
      this.#line(/Server is ready/),
    ]);
    const [tcp, websocket] = await Promise.race([started, ended]);
    this.#urls = { tcp: `nats://${tcp}`, websocket: `ws://${websocket}` };
  }

  /** @returns the first group of the first line from now on that fits. */
  #line(wanted: RegExp): Promise<string> {
    return new Promise((resolve) => {
      const look = (line: string) => {
        const found = wanted.exec(line);
        if (!found) return;
        this.#lines.off('line', look);
        resolve(found[1] ?? '');
      };
      this.#lines.on('line', look);
    });
  }
}
