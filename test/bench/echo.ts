/**
 * Time from a key to its echo at the prompt, with no events and with 1,000 printed events a second, against a bare Node program
 * that echoes in the same run. `npm run bench:echo`; COX_BENCH_KEYS (default 300) keys each. Fails nothing.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type IPty, spawn } from '@lydell/node-pty';
import { pino } from 'pino';
import { type CrewSession, joinCrew } from '../../actors/node/join.ts';
import type { TaskId } from '../../bus/task-id.ts';
import { foldersOf } from '../../platform/folders.ts';
import { entry, isWorking, World } from '../e2e/support/world.ts';

const keys = Number(process.env.COX_BENCH_KEYS ?? 300);
const eventsPerSecond = 1000;
/** The typed line stays within one row. */
const lineLength = 60;
const sliceMs = 10;

const world = await World.make();

class Typist {
  readonly #pty: IPty;
  #text = '';
  #look = () => {};

  constructor(args: readonly string[]) {
    this.#pty = spawn(process.execPath, [...args], {
      env: { ...world.env, TERM: 'xterm-256color' },
      cols: 100,
      rows: 30,
      cwd: world.workspace,
    });
    this.#pty.onData((data) => {
      this.#text = (this.#text + data).slice(-20_000);
      this.#look();
    });
  }

  /** Types, and resolves with the milliseconds until `shown` is in the output that follows. */
  async type(text: string, shown: string): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#text = '';
    this.#look = () => this.#text.includes(shown) && resolve();
    const from = performance.now();
    this.#pty.write(text);
    await promise;
    return performance.now() - from;
  }

  /** Milliseconds from each key to its echo behind `prompt`, in order of size. `cleared` is in the output of an empty line. */
  async echoes(prompt: string, cleared: string): Promise<number[]> {
    const times: number[] = [];
    let typed = '';
    for (let i = 0; i < keys; i += 1) {
      if (typed.length === lineLength) {
        await this.type('\u0015', cleared);
        typed = '';
      }
      typed += 'abcdefghij'[i % 10];
      times.push(await this.type(typed.at(-1)!, prompt + typed));
      // A fast typist, out of step with the events.
      await pause(15 + (i % 7));
    }
    await this.type('\u0015', cleared);
    return times.sort((a, b) => a - b);
  }

  async leave(text: string): Promise<void> {
    const exited = new Promise((resolve) => this.#pty.onExit(resolve));
    this.#pty.write(text);
    await exited;
  }
}

/** Publishes the output of a model, one line an event, until the signal fires. */
async function stream({ bus }: CrewSession, id: TaskId, signal: AbortSignal): Promise<void> {
  const from = performance.now();
  for (let sent = 0; !signal.aborted; await pause(sliceMs))
    for (; sent < ((performance.now() - from) / 1000) * eventsPerSecond; sent += 1)
      bus.nc.publish(bus.subjects.live(id), JSON.stringify({ type: 'token', step: 1, text: `event ${sent} of the stream\n` }));
}

const bareProgram = `process.stdin.setRawMode(true); let line = ''; process.stdout.write('> ');
process.stdin.on('data', (key) => {
  if (String(key) === 'q') process.exit();
  line = String(key) === '\\x15' ? '' : line + key;
  process.stdout.write('\\r> ' + line);
});`;
const bareTypist = new Typist(['-e', bareProgram]);
await bareTypist.type('', '> ');
const bare = await bareTypist.echoes('> ', '\r> ');
await bareTypist.leave('q');

const prompt = 'cox> ';
const typist = new Typist([entry, 'start']);
await typist.type('', prompt);
const joined = await joinCrew({
  env: world.env,
  log: pino({ level: 'silent' }),
  folders: foldersOf(world.env),
  start: true,
  signal: AbortSignal.timeout(60_000),
});
const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'stay' });
await world.model.next(isWorking);
await typist.type(`/watch ${id}\r`, 'Watching');
await pause(500);
const quiet = await typist.echoes(prompt, `${prompt}\r`);
const stop = new AbortController();
const streaming = stream(joined, id, stop.signal);
await typist.type('', 'of the stream');
const busy = await typist.echoes(prompt, `${prompt}\r`);
stop.abort();
await streaming;
await joined.crew.steer(id, { type: 'cancel' });
await joined.close();
await typist.leave('/quit\r');
await world.stop();

const at = (sorted: readonly number[], p: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? 0;
const base = at(bare, 0.5);
const shown = (values: readonly number[]) =>
  `p50 ${at(values, 0.5).toFixed(2)} ms (${(at(values, 0.5) / base).toFixed(1)}×)   p99 ${at(values, 0.99).toFixed(2)} ms`;
console.log(`key → echo\n  bare Node              ${shown(bare)}`);
console.log(`  prompt, no events      ${shown(quiet)}\n  prompt, ${eventsPerSecond} events/s  ${shown(busy)}`);
process.exit(0);
