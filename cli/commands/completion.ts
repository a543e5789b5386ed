/** `cox completion bash|zsh|fish`: a script made from the table of commands. Ids of tasks are asked for when Tab is pressed. */
import type { Command, Run } from '../cli.ts';
import { usageError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { commands } from './table.ts';

const globals = ['--json', '--verbose', '--roster', '--workspace', '--namespace', '--no-color', '--help', '--version'];
const shells = ['bash', 'zsh', 'fish'] as const;

export const run: Run = async (cli, [shell = '']) => {
  const script = { bash, zsh, fish }[shell as (typeof shells)[number]];
  if (!script) throw usageError(`There is no completion for "${shell}".`, `There is for: ${shells.join(', ')}.`);
  const text = script();
  cli.out.answer({ shell, script: text }, text);
  return exitCodes.ok;
};

const flagsOf = (command: Command): string[] =>
  (command.options ?? []).flatMap(([flags]) => flags.split(/[ ,]+/).filter((word) => word.startsWith('--')));
const names = commands.map(({ name }) => name).join(' ');
const naming = (what: Command['completes']): string =>
  commands
    .filter(({ completes }) => completes === what)
    .map(({ name }) => name)
    .join('|');

/** `status --json` is one line; the ids in it are all that looks like one. */
const idsIn = (status: string) => `${status} --json 2>/dev/null | grep -oE '"id":"[a-z0-9]{4,12}\\.[0-9-]+"' | cut -d'"' -f4`;
const tasks = idsIn('cox status');
const knownTasks = idsIn('cox status --all');

const letters = `cox dead --json 2>/dev/null | grep -oE '"kind":"(task|ticket)","id":"[a-z0-9.-]+"' | cut -d'"' -f8`;
const actions = 'retry drop';

const bash = (): string => `# cox completion for bash: source <(cox completion bash)
_cox() {
  local word="\${COMP_WORDS[COMP_CWORD]}" command="" place=0 i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in
      --roster|--workspace|--namespace) ((i++)) ;;
      -*) ;;
      *) if [ -z "$command" ]; then command="\${COMP_WORDS[i]}"; else ((place++)); fi ;;
    esac
  done
  case "\${COMP_WORDS[COMP_CWORD-1]}" in
    --roster) COMPREPLY=($(compgen -f -- "$word")); return ;;
    --workspace) COMPREPLY=($(compgen -d -- "$word")); return ;;
  esac
  if [ -z "$command" ]; then COMPREPLY=($(compgen -W "${names} ${globals.join(' ')}" -- "$word")); return; fi
  if [[ "$word" == -* ]]; then
    case "$command" in
${commands.map((command) => `      ${command.name}) COMPREPLY=($(compgen -W "${[...flagsOf(command), ...globals].join(' ')}" -- "$word")) ;;`).join('\n')}
    esac
    return
  fi
  if [ "$place" -eq 1 ] && [ "$command" = ${naming('letter')} ]; then COMPREPLY=($(compgen -W "$(${letters})" -- "$word")); fi
  [ "$place" -eq 0 ] || return
  case "$command" in
    ${naming('letter')}) COMPREPLY=($(compgen -W "${actions}" -- "$word")) ;;
    ${naming('task')}) COMPREPLY=($(compgen -W "$(${tasks})" -- "$word")) ;;
    ${naming('known-task')}) COMPREPLY=($(compgen -W "$(${knownTasks})" -- "$word")) ;;
    ${naming('type')}) COMPREPLY=($(compgen -W "supervisor files reasoning" -- "$word")) ;;
    ${naming('shell')}) COMPREPLY=($(compgen -W "${shells.join(' ')}" -- "$word")) ;;
  esac
}
complete -F _cox cox
`;

const quoted = (text: string): string => text.replaceAll("'", "'\\''").replaceAll(':', '\\:');

const zsh = (): string => `#compdef cox
# cox completion for zsh: source <(cox completion zsh)
_cox() {
  local -a commands ids
  commands=(
${commands.map(({ name, summary }) => `    '${name}:${quoted(summary)}'`).join('\n')}
  )
  if (( CURRENT == 2 )); then _describe 'command' commands; compadd -- ${globals.join(' ')}; return; fi
  if [[ "$words[CURRENT]" == -* ]]; then
    case "$words[2]" in
${commands.map((command) => `      ${command.name}) compadd -- ${[...flagsOf(command), ...globals].join(' ')} ;;`).join('\n')}
    esac
    return
  fi
  if (( CURRENT == 4 )) && [[ "$words[2]" == ${naming('letter')} ]]; then ids=(\${(f)"$(${letters})"}); compadd -a ids; fi
  (( CURRENT == 3 )) || return
  case "$words[2]" in
    ${naming('letter')}) compadd ${actions} ;;
    ${naming('task')}) ids=(\${(f)"$(${tasks})"}); compadd -a ids ;;
    ${naming('known-task')}) ids=(\${(f)"$(${knownTasks})"}); compadd -a ids ;;
    ${naming('type')}) compadd supervisor files reasoning ;;
    ${naming('shell')}) compadd ${shells.join(' ')} ;;
  esac
}
compdef _cox cox
`;

const fishQuoted = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll("'", "\\'");

const fish = (): string => {
  const inCommand = (name: string) => `-n '__fish_seen_subcommand_from ${name}'`;
  const lines = commands.flatMap((command) => [
    `complete -c cox -f -n __fish_use_subcommand -a ${command.name} -d '${fishQuoted(command.summary)}'`,
    ...(command.options ?? []).map(
      ([flags, description]) =>
        `complete -c cox -f ${inCommand(command.name)} -l ${flags.split(/[ ,]+/)[0]!.slice(2)} -d '${fishQuoted(description)}'`,
    ),
  ]);
  return `# cox completion for fish: cox completion fish | source
${lines.join('\n')}
${globals.map((flag) => `complete -c cox -l ${flag.slice(2)}${['--roster', '--workspace', '--namespace'].includes(flag) ? ' -r' : ''}`).join('\n')}
complete -c cox -f ${inCommand(naming('task').replaceAll('|', ' '))} -a "(${tasks.replaceAll('"', '\\"').replaceAll('$', '\\$')})"
complete -c cox -f ${inCommand(naming('known-task').replaceAll('|', ' '))} -a "(${knownTasks.replaceAll('"', '\\"').replaceAll('$', '\\$')})"
complete -c cox -f ${inCommand(naming('type'))} -a 'supervisor files reasoning'
complete -c cox -f ${inCommand(naming('letter'))} -a '${actions}'
complete -c cox -f -n '__fish_seen_subcommand_from ${naming('letter')}; and __fish_seen_subcommand_from ${actions}' -a "(${letters.replaceAll('"', '\\"').replaceAll('$', '\\$')})"
complete -c cox -f ${inCommand(naming('shell'))} -a '${shells.join(' ')}'
`;
};
