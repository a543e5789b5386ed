/** Finds the place of the cursor on a shell command line, and the kind of word that fits there by the table of commands. */
import type { Command, OptionRow } from '../cli.ts';

export type Place =
  | { readonly kind: 'command' }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'flag'; readonly command: Command | null }
  /** An argument or the value of an option. `what` is its notation: `<id>`, `<types>`, `[retry|drop]`. */
  | { readonly kind: 'value'; readonly what: string; readonly command: Command | null; readonly args: readonly string[] };

export interface Line {
  readonly place: Place;
  /** The typed part of the word at the cursor. */
  readonly typed: string;
  /** Values of options before the cursor. `--roster` and `--namespace` decide where candidates are looked up. */
  readonly given: ReadonlyMap<string, string>;
}

export interface Grammar {
  readonly commands: readonly Command[];
  readonly globals: readonly OptionRow[];
}

/** @param words the words after `cox`, up to the word at the cursor, which may be empty. */
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

/** The notation of an option's value, or undefined if the option takes none. */
function valueNotation(flag: string, command: Command | null, globals: readonly OptionRow[]): string | undefined {
  const [flags] = [...(command?.options ?? []), ...globals].find(([row]) => longOf(row) === flag) ?? [];
  return /<[^<>]+>$/.exec(flags ?? '')?.[0];
}

/** `--needs` of `--needs <words>`, `--version` of `-V, --version`. */
export const longOf = (flags: string): string => flags.split(/[ ,]+/).find((word) => word.startsWith('--')) ?? flags;
