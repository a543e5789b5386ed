/**
 * The log: JSON lines in `<state>/log/cox.log`, one file for all processes of a user. Secrets are masked before a line is
 * written: by the name of their field at any depth, and by their form anywhere in a line. Warnings and errors of one kind are
 * written 20 times in a minute.
 */
import { type DestinationStream, type Logger, type LoggerOptions, pino, stdTimeFunctions } from 'pino';
import { ComplaintLimit } from './complaint-limit.ts';
import { beginningOf } from './cut.ts';
import { messageOf } from './errors.ts';
import { logFileIn } from './folders.ts';
import { visibleJson } from './hidden-characters.ts';
import { LogFile } from './log-file.ts';
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

/** Longest line of the log, in characters. */
const maxLineChars = 65_536;

/** Opens the log. It never throws: if the file cannot be written, it says so once on stderr and drops the lines. */
export function openLog({ folder, verbose, name }: LogOptions): Log {
  const level = verbose ? 'debug' : 'info';
  const path = logFileIn(folder);
  const sinks: DestinationStream[] = [fileAt(path)];
  if (verbose) sinks.push({ write: (line) => void process.stderr.write(readable(line)) });
  const root: DestinationStream = {
    write: (line) => {
      const masked = maskSecrets(line.length > maxLineChars ? shortened(line) : line);
      for (const sink of sinks) sink.write(masked);
    },
  };
  const hooks = { logMethod: limited(new ComplaintLimit()) };
  return pino(
    { name, level, timestamp: stdTimeFunctions.isoTime, base: { pid: process.pid }, redact: secretFields, hooks },
    root,
  );
}

/** The kind of a complaint is its message: what varies is in its fields. */
const limited = (limit: ComplaintLimit): NonNullable<NonNullable<LoggerOptions['hooks']>['logMethod']> =>
  function (this: Logger, args, method, level) {
    if (level < pino.levels.values.warn!) return method.apply(this, args);
    const kind = args.find((arg) => typeof arg === 'string') ?? '';
    const verdict = limit.judge(kind, performance.now());
    if (!verdict.isWritten) return;
    if (verdict.leftOut > 0) method.call(this, { kind, leftOut: verdict.leftOut }, 'lines of this kind were left out');
    method.apply(this, args);
    if (verdict.isLast) method.call(this, { kind }, 'further lines of this kind are left out for a minute');
  };

/** A line that is longer than any of ours has a text of somebody else in it: its beginning is kept, as JSON again. */
const shortened = (line: string): string =>
  `${JSON.stringify({ level: 40, time: new Date().toISOString(), msg: 'a long log line was cut', chars: line.length, begins: beginningOf(line, 500) })}\n`;

/** The open files by their paths: a program that joins a crew again and again has one open file, and not one for each time. */
const openFiles = new Map<string, LogFile>();

function fileAt(path: string): LogFile {
  const open = openFiles.get(path);
  open?.renew();
  const file = open ?? new LogFile(path, (cause) => sayNoLog(path, cause));
  openFiles.set(path, file);
  return file;
}

const sayNoLog = (path: string, error: unknown): void =>
  void process.stderr.write(`cox: cannot write the log ${path} (${messageOf(error)}): continuing without it\n`);

/** `12:03:44.120 warn  worker: a source failed {"asset":"…"}` */
function readable(line: string): string {
  try {
    const { level, time, name, msg, pid: _pid, ...rest } = JSON.parse(line) as Record<string, unknown>;
    const word = pino.levels.labels[Number(level)] ?? String(level);
    const more = Object.keys(rest).length > 0 ? ` ${visibleJson(rest)}` : '';
    return `${String(time).slice(11, 23)} ${word.padEnd(5)} ${String(name)}: ${words(msg)}${more}\n`;
  } catch {
    return line;
  }
}

/** A message may quote a text of somebody else, and the line goes to a terminal. */
const words = (msg: unknown): string => visibleJson(String(msg ?? '')).slice(1, -1);
