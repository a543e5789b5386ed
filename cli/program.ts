/** The commander program, built from the table of commands. It parses and prints help; `main.ts` runs the command. */
import { Command as Parser } from 'commander';
import type { Command, Options } from './cli.ts';
import { commands, globalOptions } from './commands/registry.ts';

export interface Parsed {
  readonly command: Command;
  readonly args: readonly string[];
  readonly options: Options;
  readonly global: Options;
}

/** The command that `cox` runs if none is named: the prompt. */
const defaultCommand = 'start';

export function parse(argv: readonly string[], version: string, print: (text: string) => void): Parsed {
  let parsed: Parsed | null = null;
  const program = new Parser('cox')
    .description('Sub-agents that you can steer while they work.')
    .version(version, '-V, --version')
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .configureOutput({ writeOut: print, writeErr: () => {}, outputError: () => {} })
    .addHelpText('after', '\nWithout a command, cox runs start. docs/cli.md lists the exit codes and the JSON shapes.')
    .exitOverride();

  for (const [flags, description] of globalOptions) program.option(flags, description);
  for (const command of commands) {
    const sub = program.command(command.args ? `${command.name} ${command.args}` : command.name, {
      hidden: command.hidden === true,
    });
    sub.description(command.summary).copyInheritedSettings(program);
    for (const [flags, description] of command.options ?? []) sub.option(flags, description);
    if (command.notes) sub.addHelpText('after', `\n${command.notes}`);
    if (command.example) sub.addHelpText('after', `\nExample: ${command.example}`);
    sub.action((...given: unknown[]) => {
      const args = given
        .slice(0, -2)
        .flat()
        .filter((word): word is string => typeof word === 'string');
      parsed = { command, args: args.map(withDash), options: dashed(sub.opts()), global: dashed(program.opts()) };
    });
  }

  try {
    program.parse(withDefault(program, argv.map(withoutDash)), { from: 'user' });
  } catch (error) {
    if (error instanceof Error) error.message = withDash(error.message);
    throw error;
  }
  // Help and version throw a CommanderError (exitOverride), so a command was found if this line is reached.
  return parsed!;
}

function withDefault(program: Parser, argv: readonly string[]): string[] {
  const asksHelp = argv.some((word) => ['-h', '--help', '-V', '--version'].includes(word));
  // The probe knows the global options, so that it does not take the value of `--roster` for a command.
  const probe = new Parser();
  for (const option of program.options) if (option.long !== '--version') probe.addOption(option);
  return asksHelp || probe.parseOptions([...argv]).operands.length > 0 ? [...argv] : [defaultCommand, ...argv];
}

/**
 * A text that begins with a dash, such as "- Update the docs", is no option: an option has no blank before its `=`. The parser
 * would refuse it, so its dash is hidden from the parser behind a character that no text has.
 */
const hiddenDash = '\u{10FFFE}';
const withoutDash = (word: string): string =>
  /^-(?!-?[A-Za-z][\w-]*=)\S*\s/u.test(word) ? `${hiddenDash}${word.slice(1)}` : word;
const withDash = (word: string): string => word.replaceAll(hiddenDash, '-');
const dashed = (options: Options): Options =>
  Object.fromEntries(Object.entries(options).map(([name, value]) => [name, typeof value === 'string' ? withDash(value) : value]));
