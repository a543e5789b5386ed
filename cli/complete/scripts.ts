/**
 * Completion scripts for shells. On Tab they run `cox complete -- <words>`, which prints one line for each candidate: the word, a
 * tab, and a description. The single line `:file` or `:folder` tells the shell to complete file names or folders itself.
 */
const bash = `# cox completion for bash: source <(cox completion bash)
_cox() {
  local word="\${COMP_WORDS[COMP_CWORD]}" line
  COMPREPLY=()
  while IFS= read -r line; do
    case "$line" in
      :file) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")) ;;
      :folder) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$word")) ;;
      *) COMPREPLY+=("\${line%%$'\\t'*}") ;;
    esac
  done < <(cox complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _cox cox
`;

const zsh = `#compdef cox
# cox completion for zsh: source <(cox completion zsh), after compinit
_cox() {
  local line
  local -a said
  while IFS= read -r line; do
    case "$line" in
      :file) _files; return ;;
      :folder) _files -/; return ;;
      *) said+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}") ;;
    esac
  done < <(cox complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  _describe -V cox said
}
compdef _cox cox
`;

const fish = `# cox completion for fish: cox completion fish | source
function __cox_complete
  set -l words (commandline -opc) (commandline -ct)
  for line in (cox complete -- $words[2..-1] 2>/dev/null)
    switch $line
      case :file
        __fish_complete_path (commandline -ct)
      case :folder
        __fish_complete_directories (commandline -ct)
      case '*'
        echo $line
    end
  end
end
complete -c cox -f -k -a '(__cox_complete)'
`;

export const scripts = { bash, zsh, fish } as const;
