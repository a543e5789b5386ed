/**
 * The log: JSON lines in `<state>/log/cox.log`, all processes of a user in one file. Secrets are taken out at the root: by the name of
 * their field at any depth, and by their look anywhere in a line. Written synchronously, so that a crash keeps its last words.
 */
import { existsSync, mkdirSync, openSync, renameSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type DestinationStream, destination, type Logger, pino, stdTimeFunctions } from 'pino';
import { messageOf } from './errors.ts';
import { maskSecrets, secretFields } from './redact.ts';

export type Log = Logger;

export interface LogOptions {
  /** The state folder. */
  readonly folder: string;
  /** Log `debug` too, and show everything on stderr. */
  readonly verbose: boolean;
  /** The part of the product that logs: `repl`, `worker`. */
  readonly name: string;
}

const maxBytes = 10_000_000;

export const logFileIn = (stateFolder: string): string => join(stateFolder, 'log', 'cox.log');

/** Never fails: without a writable folder it says so once on stderr and logs to nowhere. */
export function openLog({ folder, verbose, name }: LogOptions): Log {
  const level = verbose ? 'debug' : 'info';
  const sinks: DestinationStream[] = [];
  const file = openFile(logFileIn(folder));
  if (file) sinks.push(file);
  if (verbose) sinks.push({ write: (line) => void process.stderr.write(readable(line)) });
  const root: DestinationStream = {
    write: (line) => {
      const masked = maskSecrets(line);
      for (const sink of sinks) sink.write(masked);
    },
  };
  return pino({ name, level, timestamp: stdTimeFunctions.isoTime, base: { pid: process.pid }, redact: secretFields }, root);
}

function openFile(path: string): DestinationStream | null {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    // Another process may have the old file open: it goes on writing to the renamed one.
    if (existsSync(path) && statSync(path).size > maxBytes) renameSync(path, `${path}.1`);
    const stream = destination({ fd: openSync(path, 'a', 0o600), sync: true });
    // A disk that fills up later must not end the product; without a listener it would.
    stream.once('error', (error) => sayNoLog(path, error));
    stream.on('error', () => {});
    return stream;
  } catch (error) {
    sayNoLog(path, error);
    return null;
  }
}

const sayNoLog = (path: string, error: unknown): void =>
  void process.stderr.write(`cox: cannot write the log ${path} (${messageOf(error)}): going on without it\n`);

/** `12:03:44.120 warn  worker: a source failed {"asset":"…"}` */
function readable(line: string): string {
  try {
    const { level, time, name, msg, pid: _pid, ...rest } = JSON.parse(line) as Record<string, unknown>;
    const word = pino.levels.labels[Number(level)] ?? String(level);
    const more = Object.keys(rest).length > 0 ? ` ${JSON.stringify(rest)}` : '';
    return `${String(time).slice(11, 23)} ${word.padEnd(5)} ${String(name)}: ${String(msg ?? '')}${more}\n`;
  } catch {
    return line;
  }
}
