#!/usr/bin/env node
/** The entry of `cox`: parses the command line, runs one command, reports its error and ends with its exit code. */
import { existsSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { foldersOf, logFileIn } from '../platform/folders.ts';
import { version } from '../platform/version.ts';
import type { Cli } from './cli.ts';
import { endProcess } from './end-process.ts';
import { Interrupted, reported, usageError } from './errors.ts';
import { exitCodes } from './exit-codes.ts';
import { Output } from './output.ts';
import type { Parsed } from './program.ts';
import { exitOf, onSignal } from './signals.ts';

const argv = process.argv.slice(2);
/** Time in ms that a command has to end cleanly after the first signal. */
const leaveWithinMs = 10_000;
const ended = new AbortController();

async function main(): Promise<number> {
  // The output options are read before parsing, so that they apply to the report of an invalid command line too.
  const before = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv;
  const out = new Output({
    stdout: process.stdout,
    stderr: process.stderr,
    json: before.includes('--json'),
    env: process.env,
    color: !before.includes('--no-color'),
  });
  for (const stream of [process.stdout, process.stderr]) stream.on('error', (error) => stopWriting(error));
  let logFile: string | null = null;
  process.on('uncaughtException', (error) => {
    out.error(reported(error, logFile));
    process.exit(exitCodes.internal);
  });
  try {
    const parsed = await parseArguments(out);
    if (!parsed) return exitCodes.ok;
    const cli = cliFor(parsed, out);
    logFile = logFileOf(cli);
    const release = cli.onSignal((signal) => ended.abort(new Interrupted(exitOf(signal))));
    try {
      const run = await parsed.command.load();
      return await Promise.race([run(cli, parsed.args, parsed.options), outOfPatience()]);
    } finally {
      release();
    }
  } catch (error) {
    // After an abort the error is a consequence; the reason of the abort is its cause.
    const cause = ended.signal.aborted ? ended.signal.reason : error;
    if (cause instanceof Interrupted) return cause.exitCode;
    const report = reported(cause, logFile);
    out.error(report);
    if (before.includes('--verbose') && report.exit === exitCodes.internal && error instanceof Error) out.note(error.stack ?? '');
    return report.exit;
  } finally {
    await out.flush();
  }
}

/** Rejects `leaveWithinMs` after the abort, so that a command that waits for an unreachable bus ends too. */
function outOfPatience(): Promise<never> {
  return new Promise((_, reject) => {
    const giveUp = () => setTimeout(() => reject(ended.signal.reason), leaveWithinMs);
    ended.signal.addEventListener('abort', giveUp, { once: true });
  });
}

/**
 * Returns null if the command line asked for help or the version, which commander has printed.
 * @throws CoxError `usage`.
 */
async function parseArguments(out: Output): Promise<Parsed | null> {
  const [{ parse }, { CommanderError }] = await Promise.all([import('./program.ts'), import('commander')]);
  try {
    return parse(argv, version(), (text) => out.stdout.write(text));
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return null;
    const [message = '', ...suggestion] = error.message.replace(/^error: /, '').split('\n');
    const known = suggestion
      .join(' ')
      .trim()
      .replace(/^\((.*)\)$/, '$1');
    // `cox help <word>` of an unknown command.
    const what = message === '(outputHelp)' ? `Unknown command '${argv.at(-1)}'` : capital(message).replace(/\.$/, '');
    const hint = 'cox --help lists the commands; cox <command> --help explains one.';
    const dash = error.code === 'commander.unknownOption' ? ' Before a text that begins with a dash, write --.' : '';
    throw usageError(`${what}.`, `${known || hint}${dash}`);
  }
}

function cliFor({ global }: Parsed, out: Output): Cli {
  const text = (name: string): string | null => (typeof global[name] === 'string' ? (global[name] as string) : null);
  const cwd = process.cwd();
  const namespace = text('namespace');
  return {
    env: namespace === null ? process.env : { ...process.env, COX_NAMESPACE: namespace },
    cwd,
    stdin: process.stdin,
    out,
    global: {
      json: global.json === true,
      verbose: global.verbose === true,
      workspace: resolve(cwd, text('workspace') ?? '.'),
      workspaceNamed: text('workspace') !== null,
      roster: text('roster'),
    },
    signal: ended.signal,
    onSignal,
  };
}

const logFileOf = (cli: Cli): string => logFileIn(foldersOf(cli.env).state);

/**
 * A closed pipe (`cox watch | head`) means that the reader has read enough, so the command ends quietly. A closed terminal ends
 * it like SIGHUP, which may arrive later. In both cases the process gives back the tasks it holds.
 */
function stopWriting(error: Error & { code?: string }): void {
  if (error.code === 'EPIPE') ended.abort(new Interrupted(exitCodes.ok));
  else if (error.code === 'EIO') ended.abort(new Interrupted(exitCodes.terminated));
  else throw error;
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

// Caches the compiled code of all modules loaded from here on, which saves a third of the start time. Only in a cache folder that
// already exists: in some places (/proc) Node never returns from creating one.
const { cache } = foldersOf(process.env);
if (existsSync(cache)) enableCompileCache(join(cache, 'compiled'));
await endProcess(await main());
