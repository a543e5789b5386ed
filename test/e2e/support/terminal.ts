/** `cox` under a pseudo-terminal: a test types keys, and sees what a person would see. */
import { type IPty, spawn } from '@lydell/node-pty';
import { ScreenModel } from './screen-model.ts';

/** Longer than any step takes, even on a busy machine. */
export const patienceMs = 120_000;

export interface TerminalOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly columns?: number;
  readonly rows?: number;
  /** What kind of terminal it says it is. */
  readonly term?: string;
}

export class Terminal {
  readonly exited: Promise<number>;
  /** All output as it was written. */
  raw = '';
  readonly #pty: IPty;
  readonly #screen: ScreenModel;
  readonly #waiting = new Set<() => void>();

  constructor({ command, args, env, cwd, columns = 100, rows = 40, term = 'xterm-256color' }: TerminalOptions) {
    this.#screen = new ScreenModel(columns, rows);
    this.#pty = spawn(command, [...args], {
      name: term,
      cols: columns,
      rows,
      cwd,
      env: { ...env, TERM: term },
    });
    this.#pty.onData((data) => {
      this.raw += data;
      this.#screen.write(data);
      for (const look of this.#waiting) look();
    });
    this.exited = new Promise((resolve) => this.#pty.onExit(({ exitCode }) => resolve(exitCode)));
  }

  get lines(): string[] {
    return this.#screen.lines;
  }
  get cursor() {
    return this.#screen.cursor;
  }

  type(keys: string): void {
    this.#pty.write(keys);
  }
  enter(line: string): void {
    this.type(`${line}\r`);
  }
  interrupt(): void {
    this.type('\u0003');
  }

  /**
   * Resolves with the first line that fits, as soon as it is on the screen.
   * @throws Error when the process ends or time is up.
   */
  async line(fits: RegExp): Promise<string> {
    return this.until(() => this.lines.find((line) => fits.test(line)), `a line like ${fits}`);
  }

  async until<T>(look: () => T | undefined | false, what: string): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const again = () => {
      const seen = look();
      if (seen !== undefined && seen !== false) resolve(seen);
    };
    this.#waiting.add(again);
    again();
    const ended = this.exited.then((code) => reject(new Error(`ended with ${code} before ${what}:\n${this.lines.join('\n')}`)));
    const late = setTimeout(() => reject(new Error(`no ${what} on the screen:\n${this.lines.join('\n')}`)), patienceMs);
    try {
      return await promise;
    } finally {
      clearTimeout(late);
      this.#waiting.delete(again);
      void ended;
    }
  }

  /** As a person who pulls at the window: its rows are broken anew, and the process is told. */
  resize(columns: number, rows = this.#pty.rows): void {
    this.#screen.resize(columns);
    this.#pty.resize(columns, rows);
  }

  /** Closes the window: the process gets SIGHUP and can no longer write. */
  hangUp(): void {
    (this.#pty as IPty & { destroy(): void }).destroy();
  }

  kill(): void {
    try {
      process.kill(this.#pty.pid, 'SIGKILL');
    } catch {
      // The process is gone already.
    }
  }
}
