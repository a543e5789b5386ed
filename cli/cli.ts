/** The types of a command and of its input. This file loads nothing at run time, so that the prompt and `--help` start fast. */
import type { Output } from './output.ts';

export interface GlobalOptions {
  readonly json: boolean;
  readonly verbose: boolean;
  /** The folder that file tools are confined to, as an absolute path. */
  readonly workspace: string;
  /** Whether `--workspace` was given. Without it the workspace is the current folder. */
  readonly workspaceNamed: boolean;
  readonly roster: string | null;
}

export interface Cli {
  /** The environment, overridden by global options: `--namespace` sets COX_NAMESPACE. */
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly stdin: NodeJS.ReadStream;
  readonly out: Output;
  readonly global: GlobalOptions;
  /** Aborts when stdout has lost its reader, and on the first signal unless the command has taken over with `onSignal`. */
  readonly signal: AbortSignal;
  /** Handles Ctrl-C, SIGTERM and SIGHUP until the returned function is called. */
  readonly onSignal: (handler: (signal: NodeJS.Signals) => void) => () => void;
}

/** Option values as the parser left them. Each command checks them with its own zod schema. */
export type Options = Readonly<Record<string, unknown>>;
/** Runs a command and resolves to its exit code. The words of a variadic argument are the last elements of `args`. */
export type Run = (cli: Cli, args: readonly string[], options: Options) => Promise<number>;

/** An option in commander's notation: `--needs <words>`. The name in brackets selects the completions for its value. */
export type OptionRow = readonly [flags: string, description: string];

export interface Command {
  readonly name: string;
  readonly summary: string;
  /** The arguments in commander's notation: `<id> <text...>`. */
  readonly args?: string;
  readonly options?: readonly OptionRow[];
  readonly example?: string;
  /** What `--help` says below the options, in lines. */
  readonly notes?: string;
  /** Whether shell completion offers ended tasks too. */
  readonly ended?: true;
  /** Whether `--help` leaves the command out, because only programs call it. */
  readonly hidden?: true;
  readonly load: () => Promise<Run>;
}
