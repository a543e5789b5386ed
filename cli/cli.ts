/** What a command is given, and what a command is. Nothing here loads anything: the prompt and `--help` come fast. */
import type { Output } from './output.ts';

export interface GlobalOptions {
  readonly json: boolean;
  readonly verbose: boolean;
  /** Absolute folder the file tools may look into. */
  readonly workspace: string;
  /** `--workspace` was given; else it is the current folder. */
  readonly workspaceNamed: boolean;
  readonly roster: string | null;
}

export interface Cli {
  /** With what the global options say on top: `--namespace` is COX_NAMESPACE. */
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly stdin: NodeJS.ReadStream;
  readonly out: Output;
  readonly global: GlobalOptions;
  /** Fires on the first Ctrl-C (for commands that don't handle it themselves), SIGTERM, and when nobody reads stdout any more. */
  readonly signal: AbortSignal;
  /** Takes over Ctrl-C and SIGTERM until the returned function is called. */
  readonly onSignal: (handler: (signal: NodeJS.Signals) => void) => () => void;
}

/** Values as the parser left them: a command's zod schema says what they must be. */
export type Options = Readonly<Record<string, unknown>>;
/** Resolves to the exit code. `args` has the words of a variadic argument one by one at its end. */
export type Run = (cli: Cli, args: readonly string[], options: Options) => Promise<number>;

/** In commander's notation: `--needs <words>`. What stands in the brackets says to shells what may follow. */
export type OptionRow = readonly [flags: string, description: string];

export interface Command {
  readonly name: string;
  readonly summary: string;
  /** In commander's notation: `<id> <text...>`. */
  readonly args?: string;
  readonly options?: readonly OptionRow[];
  readonly example?: string;
  /** For shells: tasks that have ended may be meant too. */
  readonly ended?: true;
  /** For programs: not in `--help`. */
  readonly hidden?: true;
  readonly load: () => Promise<Run>;
}
