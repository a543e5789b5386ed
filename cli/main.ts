#!/usr/bin/env node
/** The entry of `cox`: parses, runs one command, reports what went wrong, ends with its exit code. */
import { existsSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { foldersOf } from '../platform/folders.ts';
import { version } from '../platform/version.ts';
import type { Cli } from './cli.ts';
import { endProcess } from './end-process.ts';
import { Interrupted, reported, usageError } from './errors.ts';
import { exitCodes } from './exit-codes.ts';
import { Output } from './output.ts';
import type { Parsed } from './program.ts';
import { exitOf, onSignal } from './signals.ts';

const argv = process.argv.slice(2);
/** For a command to leave in order after a first signal. */
const leaveWithinMs = 10_000;
const ended = new AbortController();

async function main(): Promise<number> {
  // Before anything is parsed, so that a bad command line too is reported the way its caller reads.
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
    // Whatever an abort made fail: the reason is why.
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

/** Rejects some time after the end was asked for: who waits for a bus that is away is not kept. */
function outOfPatience(): Promise<never> {
  return new Promise((_, reject) => {
    const giveUp = () => setTimeout(() => reject(ended.signal.reason), leaveWithinMs);
    ended.signal.addEventListener('abort', giveUp, { once: true });
  });
}

/** Null when the command line only asked for help or the version, which is printed then. */
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
    throw usageError(
      `${capital(message).replace(/\.$/, '')}.`,
      known || 'cox --help lists the commands, cox <command> --help what one takes.',
    );
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

const logFileOf = (cli: Cli): string => `${foldersOf(cli.env).state}/log/cox.log`;

/**
 * A closed pipe (`cox watch | head`) is how a reader says that it has enough: a quiet end. A terminal that is closed ends it as SIGHUP does,
 * which may come later: what the process holds is given back in either case.
 */
function stopWriting(error: Error & { code?: string }): void {
  if (error.code === 'EPIPE') ended.abort(new Interrupted(exitCodes.ok));
  else if (error.code === 'EIO') ended.abort(new Interrupted(exitCodes.terminated));
  else throw error;
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

// What is loaded from here on is compiled once for each version of Node, which saves a third of a start.
// Where a folder for it is there: Node never returns from making one in some places (/proc).
const { cache } = foldersOf(process.env);
if (existsSync(cache)) enableCompileCache(join(cache, 'compiled'));
await endProcess(await main());
