/**
 * The log: JSON lines in `<state>/log/cox.log`, one file for all processes of a user. Secrets are masked before a line is
 * written: by the name of their field at any depth, and by their form anywhere in a line. Writes are synchronous, so that the
 * lines before a crash are kept.
 */
import { existsSync, mkdirSync, openSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { type DestinationStream, destination, type Logger, pino, stdTimeFunctions } from 'pino';
import { beginningOf } from './cut.ts';
import { messageOf } from './errors.ts';
import { logFileIn } from './folders.ts';
import { maskSecrets, secretFields } from './redact.ts';

export type Log = Logger;

export interface LogOptions {
  /** The state folder. */
  readonly folder: string;
  /** Also log at level `debug`, and copy every line to stderr. */
  readonly verbose: boolean;
  /** The part of the product that logs: `repl`, `worker`. */
  readonly name: string;
}

const maxBytes = 10_000_000;
/** Longest line of the log, in characters. */
const maxLineChars = 65_536;

/** Opens the log. It never throws: if the file cannot be written, it says so once on stderr and drops the lines. */
export function openLog({ folder, verbose, name }: LogOptions): Log {
  const level = verbose ? 'debug' : 'info';
  const sinks: DestinationStream[] = [];
  const file = openFile(logFileIn(folder));
  if (file) sinks.push(file);
  if (verbose) sinks.push({ write: (line) => void process.stderr.write(readable(line)) });
  const root: DestinationStream = {
    write: (line) => {
      const masked = maskSecrets(line.length > maxLineChars ? shortened(line) : line);
      for (const sink of sinks) sink.write(masked);
    },
  };
  return pino({ name, level, timestamp: stdTimeFunctions.isoTime, base: { pid: process.pid }, redact: secretFields }, root);
}

/** A line that is longer than any of ours has a text of somebody else in it: its beginning is kept, as JSON again. */
const shortened = (line: string): string =>
  `${JSON.stringify({ level: 40, time: new Date().toISOString(), msg: 'a long log line was cut', chars: line.length, begins: beginningOf(line, 500) })}\n`;

function openFile(path: string): DestinationStream | null {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    // Another process may have the old file open: it continues to write to the renamed file.
    if (existsSync(path) && statSync(path).size > maxBytes) renameSync(path, `${path}.1`);
    const stream = destination({ fd: openSync(path, 'a', 0o600), sync: true });
    // Without a listener an error event, as of a disk that fills up later, would end the process.
    stream.once('error', (error) => sayNoLog(path, error));
    stream.on('error', () => {});
    return stream;
  } catch (error) {
    sayNoLog(path, error);
    return null;
  }
}

const sayNoLog = (path: string, error: unknown): void =>
  void process.stderr.write(`cox: cannot write the log ${path} (${messageOf(error)}): continuing without it\n`);

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
