/** Where the cursor is on a command line of a shell: what may stand there, by the notation of the table of commands. */
import type { Command, OptionRow } from '../cli.ts';

export type Place =
  | { readonly kind: 'command' }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'flag'; readonly command: Command | null }
  /** An argument or the value of an option; `what` is its notation: `<id>`, `<types>`, `[retry|drop]`. */
  | { readonly kind: 'value'; readonly what: string; readonly command: Command | null; readonly args: readonly string[] };

export interface Line {
  readonly place: Place;
  /** What is typed of the word at the cursor. */
  readonly typed: string;
  /** Values of options that stand before it: `--roster` and `--namespace` say where to look. */
  readonly given: ReadonlyMap<string, string>;
}

export interface Grammar {
  readonly commands: readonly Command[];
  readonly globals: readonly OptionRow[];
}

/** @param words those behind `cox`, up to the one at the cursor, which may be empty. */
export function readWords(words: readonly string[], { commands, globals }: Grammar): Line {
  const typed = words.at(-1) ?? '';
  const given = new Map<string, string>();
  const args: string[] = [];
  let command: Command | null = null;
  let isHelp = false;
  let flag: string | null = null;
  let areAllArguments = false;
  for (const word of words.slice(0, -1)) {
    if (flag) {
      given.set(flag, word);
      flag = null;
    } else if (areAllArguments || !word.startsWith('-')) {
      if (command) args.push(word);
      else if (word === 'help') isHelp = true;
      else {
        command = commands.find(({ name }) => name === word) ?? null;
        if (!command) return { place: { kind: 'nothing' }, typed, given };
      }
    } else if (word === '--') areAllArguments = true;
    else if (valueNotation(word, command, globals)) flag = word;
  }
  const place = (): Place => {
    if (flag) return { kind: 'value', what: valueNotation(flag, command, globals)!, command, args };
    if (!areAllArguments && typed.startsWith('-')) return { kind: 'flag', command };
    if (!command || isHelp) return { kind: 'command' };
    const what = command.args?.split(' ')[args.length];
    return what ? { kind: 'value', what, command, args } : { kind: 'nothing' };
  };
  return { place: place(), typed, given };
}

/** The notation of an option's value, or undefined for one that takes none. */
function valueNotation(flag: string, command: Command | null, globals: readonly OptionRow[]): string | undefined {
  const [flags] = [...(command?.options ?? []), ...globals].find(([row]) => longOf(row) === flag) ?? [];
  return /<[^>]+>$/.exec(flags ?? '')?.[0];
}

/** `--needs` of `--needs <words>`, `--version` of `-V, --version`. */
export const longOf = (flags: string): string => flags.split(/[ ,]+/).find((word) => word.startsWith('--')) ?? flags;
